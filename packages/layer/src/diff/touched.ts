/** Paths as a tree of names (`latin1`). */
export interface Touched extends ReadonlyMap<string, Touched> {
  /** Whether the path itself was named, not only others below it. */
  readonly named: boolean;
}

class TouchedNames extends Map<string, TouchedNames> {
  named = false;
}

/** Collect the paths that a driver says were touched. Cost: memory for all of them. */
export async function readTouched(paths: AsyncIterable<Buffer>): Promise<Touched> {
  const root = new TouchedNames();
  for await (const path of paths) {
    let directory = root;
    for (const name of path.toString("latin1").split("/")) {
      if (name === "" || name === ".") continue;
      let below = directory.get(name);
      if (below === undefined) {
        below = new TouchedNames();
        directory.set(name, below);
      }
      directory = below;
    }
    directory.named = true;
  }
  return root;
}
