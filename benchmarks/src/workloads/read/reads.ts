import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Mount, ViewSnapshot } from "@strata/core";
import { Resources } from "../../resources.ts";
import type { Operation, Trial, TrialContext } from "../../workload.ts";
import { numberIn, openRoot } from "../snapshots.ts";
import { largeFile, smallFiles, topName } from "./make-chain.ts";

const chunkBytes = 2 ** 20;

/** Each thread has a view of its own, as each container has a mount of its own. */
export async function openReads(context: TrialContext): Promise<Trial> {
  const { thread, threads, signal } = context;
  const resources = new Resources();
  try {
    const driver = resources.use(await openRoot(context));
    const view = await driver.view(`view-${thread}`, topName, { signal });
    const tree = resources.use(await MountedView.mount(view));
    return {
      // Threads have in common that they read through the same layers.
      operations: threads > 1 ? [readSmallFiles(context, tree)] : readsOf(context, tree),
      [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
    };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

function readsOf(context: TrialContext, tree: MountedView): Operation[] {
  const [first] = smallFiles(context);
  const buffer = Buffer.alloc(chunkBytes);
  return [
    {
      name: "first open",
      before: () => tree.mountAnew(),
      run: () => readChunk(join(tree.path, first?.path ?? ""), buffer),
    },
    readSmallFiles(context, tree),
    {
      name: "stat tree",
      work: { files: statTree(tree.path) },
      run: () => statTree(tree.path),
    },
    {
      name: "read large file",
      work: { bytes: numberIn(context, "largeBytes") },
      run: () => readInChunks(join(tree.path, largeFile), buffer),
    },
  ];
}

function readSmallFiles(context: TrialContext, tree: MountedView): Operation {
  const files = smallFiles(context);
  return {
    name: "read small files",
    work: { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) },
    run: () => {
      for (const { path } of files) readFileSync(join(tree.path, path));
    },
  };
}

function readChunk(path: string, buffer: Buffer): void {
  const file = openSync(path, "r");
  readSync(file, buffer);
  closeSync(file);
}

function readInChunks(path: string, buffer: Buffer): void {
  const file = openSync(path, "r");
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

/** As `find -ls`. @returns how many things are in the tree */
function statTree(tree: string): number {
  const entries = readdirSync(tree, { withFileTypes: true, recursive: true });
  for (const entry of entries) lstatSync(join(entry.parentPath, entry.name));
  return entries.length;
}

/** A view, mounted. Mounted anew, the kernel has forgotten the names that were looked up in it. */
class MountedView implements AsyncDisposable {
  readonly #view: ViewSnapshot;
  #mount: Mount;

  static async mount(view: ViewSnapshot): Promise<MountedView> {
    return new MountedView(view, await view.mount());
  }

  private constructor(view: ViewSnapshot, mount: Mount) {
    this.#view = view;
    this.#mount = mount;
  }

  get path(): string {
    return this.#mount.path;
  }

  async mountAnew(): Promise<void> {
    await this.#mount.close();
    this.#mount = await this.#view.mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mount.close();
  }
}
