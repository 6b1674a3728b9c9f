import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StorageDriver } from "@strata/core";
import { expect, test } from "vitest";
import { runsAsRoot } from "./ordinary-user.ts";
import { directoryDriver, litter, scratch } from "./scratch.ts";

async function onFileSystem<T>(mount: string[], use: (at: string) => Promise<T>): Promise<T> {
  const at = scratch();
  execFileSync("mount", [...mount, at]);
  try {
    return await use(at);
  } finally {
    execFileSync("umount", [at]);
  }
}

/**
 * What is there after a power cut at the end of `work`: the disk is an image file, of which a copy holds what the file
 * system has written by then. It writes nothing by itself for ten minutes.
 */
async function afterPowerCut(
  durability: "none" | "commit",
  work: (driver: StorageDriver) => Promise<void>,
  look: (driver: StorageDriver) => Promise<void>,
): Promise<void> {
  const directory = scratch();
  const [image, copy] = [join(directory, "image"), join(directory, "copy")];
  execFileSync("truncate", ["-s", "64M", image]);
  execFileSync("mkfs.ext4", ["-q", image]);
  await onFileSystem(["-o", "loop,commit=600", image], async (at) => {
    mkdirSync(join(at, "root"));
    execFileSync("sync", ["-f", at]);
    await work(await directoryDriver({ root: join(at, "root"), durability }));
    execFileSync("cp", ["--sparse=always", image, copy]);
  });
  await onFileSystem(["-o", "loop", copy], async (at) => {
    await look(await directoryDriver({ root: join(at, "root"), durability }));
  });
}

const content = "content ".repeat(100_000);

async function make(driver: StorageDriver, key: string): Promise<void> {
  const active = await driver.prepare(key);
  writeFileSync(join(active.layout().dir, "file"), content);
}

async function commit(driver: StorageDriver, key: string, name: string, options = {}): Promise<void> {
  const snapshot = await driver.open(key);
  if (snapshot.kind !== "active") throw new Error(`${key} is ${snapshot.kind}`);
  await snapshot.commit(name, options);
}

async function contentOf(driver: StorageDriver, name: string): Promise<string> {
  return readFileSync(join((await driver.open(name)).layout().dir, "file"), "utf8");
}

test.runIf(runsAsRoot)("what was committed survives a power cut", () =>
  afterPowerCut(
    "commit",
    async (driver) => {
      await make(driver, "a");
      await commit(driver, "a", "name");
    },
    async (driver) => {
      expect(await driver.check()).toEqual([]);
      await expect(driver.stat("a")).rejects.toMatchObject({ code: "NotFound" });
      expect(await driver.stat("name")).toMatchObject({ kind: "committed" });
      expect(await contentOf(driver, "name")).toBe(content);
    },
  ),
);

test.runIf(runsAsRoot)("so do several with one sync, their order, and new labels", () =>
  afterPowerCut(
    "commit",
    async (driver) => {
      await make(driver, "a");
      await make(driver, "b");
      await driver.sync();
      await commit(driver, "a", "one", { synced: true });
      await commit(driver, "b", "two", { synced: true, parent: "one" });
      await driver.setLabels("two", { after: "commit" });
    },
    async (driver) => {
      expect(await driver.check()).toEqual([]);
      expect(await driver.stat("two")).toMatchObject({ parent: "one", labels: { after: "commit" } });
      expect([await contentOf(driver, "one"), await contentOf(driver, "two")]).toEqual([content, content]);
      await expect(driver.remove("one")).rejects.toMatchObject({ code: "FailedPrecondition" });
    },
  ),
);

test.runIf(runsAsRoot)('with durability "none" it need not, which shows that these tests can tell', () =>
  afterPowerCut(
    "none",
    async (driver) => {
      await make(driver, "a");
      await driver.sync();
      await commit(driver, "a", "name");
    },
    async (driver) => {
      await expect(driver.stat("name")).rejects.toMatchObject({ code: "NotFound" });
    },
  ),
);

test.runIf(runsAsRoot)("a disk without inodes is NoSpace at whichever step, and nothing is left", () =>
  onFileSystem(["-t", "tmpfs", "-o", "nr_inodes=64", "tmpfs"], async (at) => {
    const driver = await directoryDriver({ root: join(at, "root") });
    await make(driver, "b");
    await commit(driver, "b", "base");
    let made = 0;
    const failures: unknown[] = [];
    // Leave one inode more each time, so that another step fails.
    for (let spare = 0; spare < 8; spare++) {
      const fill = [];
      for (let n = 0; failures.length === spare; n++) {
        await driver.prepare(`key-${spare}-${n}`, "base").catch((error: unknown) => failures.push(error));
        if (failures.length === spare) fill.push(`key-${spare}-${n}`);
      }
      expect(litter(driver)).toEqual([]);
      made = fill.length;
      for (const key of fill) await driver.remove(key);
      await driver.cleanup();
      writeFileSync(join(at, `spare-${spare}`), "");
    }
    expect(made).toBeGreaterThan(5);
    for (const error of failures) expect(error).toMatchObject({ name: "StrataError", code: "NoSpace" });
    await driver.remove("base");
    await driver.cleanup();
    expect(readdirSync(join(driver.root, "snapshots"))).toEqual([]);
  }),
);
