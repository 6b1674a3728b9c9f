import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isStrataError, type SnapshotInfo, type StorageDriver } from "@strata/core";

/** What a driver has, by id. */
export type State = Readonly<Record<string, StateOfOne>>;

interface StateOfOne extends Pick<SnapshotInfo, "kind" | "parent" | "labels"> {
  /** By whichever living process, or persistently. */
  readonly mounted: boolean;
  /** The content of each file in the snapshot's own directory, by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** All that a caller can see of a driver's snapshots, and what is in their own directories. */
export async function stateOf(driver: StorageDriver): Promise<State> {
  const state: Record<string, StateOfOne> = {};
  for await (const { id, kind, parent, labels } of driver.list()) {
    const snapshot = await driver.open(id);
    state[id] = {
      kind,
      ...(parent !== undefined && { parent }),
      labels,
      mounted: snapshot.kind !== "committed" && (await snapshot.mountedAt()) !== undefined,
      files: filesOf(snapshot.layout().dir),
    };
  }
  return state;
}

/** Remove every snapshot, children first, and clean up. */
export async function removeAll(driver: StorageDriver): Promise<void> {
  const left = new Set(Object.keys(await stateOf(driver)));
  while (left.size > 0) {
    const { size } = left;
    for (const id of left) {
      try {
        const snapshot = await driver.open(id);
        if (snapshot.kind !== "committed") await snapshot.unmount();
        await driver.remove(id);
        left.delete(id);
      } catch (error) {
        // It has children, which come later.
        if (!isStrataError(error, "FailedPrecondition")) throw error;
      }
    }
    if (left.size === size) throw new Error(`these cannot be removed: ${[...left].join(", ")}`);
  }
  await driver.cleanup();
}

function filesOf(directory: string): Record<string, string> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    paths
      .map((path) => [path, join(directory, path)] as const)
      .filter(([, full]) => statSync(full).isFile())
      .map(([path, full]) => [path, readFileSync(full, "latin1")]),
  );
}
