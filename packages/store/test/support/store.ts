import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Scratch as Directory, LoopFileSystem, missingFacilities } from "@strata/conformance/suite";
import type { StorageDriver } from "@strata/core";
import { btrfs } from "@strata/driver-btrfs";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";

/** A directory of its own for a test; whatever is mounted below goes with it. */
export class Scratch implements AsyncDisposable {
  readonly path: string;
  readonly #parts: readonly AsyncDisposable[];

  private constructor(parts: readonly AsyncDisposable[], path: string) {
    this.#parts = parts;
    this.path = path;
  }

  /** @param driver - that stores in it will have: btrfs gets a file system of its own */
  static async make(driver?: DriverName): Promise<Scratch> {
    const fileSystem = driver === "btrfs" ? await LoopFileSystem.make("btrfs") : undefined;
    const directory = new Directory(fileSystem?.path);
    return new Scratch([directory, ...(fileSystem ? [fileSystem] : [])], directory.path);
  }

  join(...names: string[]): string {
    return join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts) await part[Symbol.asyncDispose]();
  }
}

const factories = { overlay2, vfs, btrfs };

export type DriverName = keyof typeof factories;

/** What works here on any file system. */
export const drivers: readonly DriverName[] = usableDrivers();

/** What works here in a {@link Scratch} that was made for it. */
export const allDrivers: readonly DriverName[] = [...drivers, ...(hasBtrfs() ? ["btrfs" as const] : [])];

function usableDrivers(): DriverName[] {
  if (process.geteuid?.() === 0) return ["overlay2", "vfs"];
  if (process.env["CI"]) throw new Error("in CI, overlay2 must be tested too: run the tests as root");
  console.warn("overlay2 is not tested: mounts need root");
  return ["vfs"];
}

function hasBtrfs(): boolean {
  const missing = missingFacilities(["root", "mkfs.btrfs"]);
  if (missing.length === 0) return true;
  if (process.env["CI"]) throw new Error(`in CI, btrfs must be tested too: it needs ${missing.join(", ")}`);
  console.warn(`btrfs is not tested: it needs ${missing.join(", ")}`);
  return false;
}

export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  readonly driver: StorageDriver;
  readonly root: string;
}

export async function openStore(root: string, name: DriverName = "vfs"): Promise<OpenedStore> {
  const driver = await factories[name]({ root: join(root, "drivers", name), durability: "none" });
  const store = await Store.open({ root, driver, threads: 2, durability: "none" });
  return {
    store,
    driver,
    root,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await driver.close();
    },
  };
}

/** Unmount whatever a test has left mounted, so that its directory can be removed. */
export async function unmountAll({ driver }: OpenedStore): Promise<void> {
  for await (const { id } of driver.list({ kind: "active" })) {
    const snapshot = await driver.open(id);
    if (snapshot.kind === "active") await snapshot.unmount({ force: true });
  }
}

/** Every path under a directory, sorted: what is compared to see that nothing is left behind. */
export async function listing(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.map((entry) => join(entry.parentPath, entry.name).slice(root.length)).sort();
}

/** The tree of an image, as paths and contents, through a container. */
export async function treeOf({ store }: OpenedStore, image: string): Promise<Record<string, string>> {
  const container = await store.createContainer(image);
  const path = await store.mountContainer(container.id);
  try {
    return await readTree(path);
  } finally {
    await store.unmountContainer(container.id);
    await store.removeContainer(container.id);
  }
}

async function readTree(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) tree[path.slice(root.length + 1)] = await readFile(path, "utf8");
  }
  return tree;
}
