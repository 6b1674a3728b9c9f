import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type {
  ActiveSnapshot,
  CommitOptions,
  Labels,
  Mount,
  MountOptions,
  SnapshotFilter,
  StorageDriver,
  UnmountOptions,
  ViewSnapshot,
} from "@strata/core";

/** What `DriverProcess.do` takes: the step's name and its arguments. What they take and give can be said in JSON. */
export type DriverSteps = ReturnType<typeof driverSteps>;

/** What a process can be told to do with its driver. */
export function driverSteps(driver: StorageDriver) {
  const mounts = new Map<string, Mount[]>();

  async function mountable(key: string): Promise<ActiveSnapshot | ViewSnapshot> {
    const snapshot = await driver.open(key);
    if (snapshot.kind === "committed") throw new Error(`"${key}" is committed: there is nothing to mount`);
    return snapshot;
  }

  return {
    async prepare(key: string, parent?: string): Promise<void> {
      await driver.prepare(key, parent);
    },
    async view(key: string, parent?: string): Promise<void> {
      await driver.view(key, parent);
    },
    async commit(key: string, name: string, options: Omit<CommitOptions, "signal"> = {}): Promise<void> {
      const snapshot = await mountable(key);
      if (snapshot.kind !== "active") throw new Error(`"${key}" is a view: there is nothing to commit`);
      await snapshot.commit(name, options);
    },
    /** @returns where */
    async mount(key: string, options: MountOptions = {}): Promise<string> {
      const mount = await (await mountable(key)).mount(options);
      mounts.set(key, [...(mounts.get(key) ?? []), mount]);
      return mount.path;
    },
    /** Close the newest mount that `mount` made of `key`. */
    async closeMount(key: string): Promise<void> {
      await mounts.get(key)?.pop()?.close();
    },
    async mountedAt(key: string): Promise<string | null> {
      return (await (await mountable(key)).mountedAt()) ?? null;
    },
    async unmount(key: string, options: UnmountOptions = {}): Promise<boolean> {
      return (await mountable(key)).unmount(options);
    },
    /** Write a file into the tree of `key`, through a mount. */
    async write(key: string, path: string, text: string): Promise<void> {
      await using mount = await (await mountable(key)).mount();
      const file = join(mount.path, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    async read(key: string, path: string): Promise<string> {
      await using mount = await (await mountable(key)).mount();
      return readFileSync(join(mount.path, path), "utf8");
    },
    async kind(id: string): Promise<string> {
      return (await driver.stat(id)).kind;
    },
    async labels(id: string): Promise<Labels> {
      return (await driver.stat(id)).labels;
    },
    async setLabels(id: string, labels: Labels): Promise<void> {
      await driver.setLabels(id, labels);
    },
    /** @returns ids, sorted */
    async list(filter: SnapshotFilter = {}): Promise<string[]> {
      const ids: string[] = [];
      for await (const { id } of driver.list(filter)) ids.push(id);
      return ids.sort();
    },
    usage: (id: string) => driver.usage(id),
    remove: (id: string) => driver.remove(id),
    cleanup: () => driver.cleanup(),
    check: () => driver.check(),
    sync: () => driver.sync(),
    close: () => driver.close(),
  };
}
