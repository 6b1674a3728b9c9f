import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StorageDriver } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { LoopFileSystem } from "../../host/loop-file-system.ts";

/** What is found after a power cut at the end of something. */
export const powerCuts: readonly Behaviour[] = [
  powerCut(
    "committed-survives-power-cut",
    "a committed snapshot survives a power cut, with all that is in it",
    {
      async work(driver) {
        await make(driver, "a");
        await commit(driver, "a", "base");
        await make(driver, "b", "base");
        await commit(driver, "b", "name");
      },
      async look(driver) {
        await holds(driver, "base", ["a"]);
        await holds(driver, "name", ["a", "b"]);
        await rejects(driver.stat("b"), "NotFound");
        await rejects(driver.remove("base"), "FailedPrecondition");
      },
    },
  ),
  powerCut(
    "one-sync-for-several",
    "several snapshots that were committed after one sync survive a power cut",
    {
      async work(driver) {
        await make(driver, "a");
        await make(driver, "b");
        await driver.sync();
        await commit(driver, "a", "one", true);
        await commit(driver, "b", "two", true);
      },
      async look(driver) {
        await holds(driver, "one", ["a"]);
        await holds(driver, "two", ["b"]);
      },
    },
  ),
  {
    ...powerCut(
      "late-parent-survives-power-cut",
      "a parent that was given at the commit is still that after a power cut",
      {
        async work(driver) {
          await make(driver, "a");
          await make(driver, "b");
          await driver.sync();
          await commit(driver, "a", "one", true);
          await commit(driver, "b", "two", true, "one");
        },
        async look(driver) {
          assert.equal((await driver.stat("two")).parent, "one");
          await holds(driver, "two", ["a", "b"]);
          await rejects(driver.remove("one"), "FailedPrecondition");
        },
      },
    ),
    needs: ["host:root", "state on disk", "rebase"],
  },
  powerCut("labels-survive-power-cut", "new labels of a committed snapshot survive a power cut", {
    async work(driver) {
      await make(driver, "a");
      await commit(driver, "a", "name");
      await driver.setLabels("name", { after: "commit" });
    },
    async look(driver) {
      assert.deepEqual((await driver.stat("name")).labels, { after: "commit" });
      await holds(driver, "name", ["a"]);
    },
  }),
];

interface PowerCut {
  readonly work: (driver: StorageDriver) => Promise<void>;
  readonly look: (driver: StorageDriver) => Promise<void>;
}

function powerCut(id: string, title: string, { work, look }: PowerCut): Behaviour {
  return {
    id,
    title,
    origin: "N",
    needs: ["host:root", "state on disk"],
    async run({ under }) {
      const type = under.fileSystem ?? "ext4";
      await using disk = await LoopFileSystem.make(type, {
        sizeBytes: sizes[type],
        // It writes nothing by itself while this lasts. xfs waits for half a minute, whatever it is told.
        mountOptions: type === "xfs" ? [] : ["commit=600"],
        ...(under.directory !== undefined && { directory: under.directory }),
      });
      const open = () => under.create({ root: disk.join("root"), durability: "commit" });
      await open().then((driver) => driver.close());
      await disk.sync();
      let driver = await open();
      await work(driver);
      const copy = await disk.copyImage();
      await driver.close();

      await disk.replaceBy(copy);
      driver = await open();
      try {
        assert.deepEqual(await driver.check(), []);
        await look(driver);
      } finally {
        await driver.close();
      }
    },
  };
}

const mebibyte = 2 ** 20;
const sizes = { ext4: 64 * mebibyte, btrfs: 256 * mebibyte, xfs: 320 * mebibyte } as const;

async function make(driver: StorageDriver, key: string, parent?: string): Promise<void> {
  const snapshot = await driver.prepare(key, parent);
  await using mount = await snapshot.mount();
  writeFileSync(join(mount.path, key), contentOf(key));
}

async function commit(
  driver: StorageDriver,
  key: string,
  name: string,
  synced = false,
  parent?: string,
): Promise<void> {
  const snapshot = await driver.open(key);
  assert(snapshot.kind === "active");
  await snapshot.commit(name, { synced, ...(parent !== undefined && { parent }) });
}

/** That a committed snapshot has the files that were written under these keys. */
async function holds(driver: StorageDriver, name: string, keys: readonly string[]): Promise<void> {
  assert.equal((await driver.stat(name)).kind, "committed");
  const view = await driver.view("look", name);
  {
    await using mount = await view.mount();
    for (const key of keys) {
      assert.equal(readFileSync(join(mount.path, key), "utf8") === contentOf(key), true, `the file ${key}`);
    }
  }
  await driver.remove("look");
  await driver.cleanup();
}

/** Some hundred kilobytes. */
function contentOf(key: string): string {
  return `content of ${key} `.repeat(20_000);
}
