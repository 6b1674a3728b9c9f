import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { commitEmpty, listIds } from "../../snapshots.ts";
import { rootFootprint } from "../../trees/footprint.ts";

/** Removing snapshots, and giving their bytes back. */
export const removal: readonly Behaviour[] = [
  {
    id: "remove-with-children-fails",
    title: "a snapshot cannot be removed while it has a child, of whatever kind, and then it can",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      await driver.prepare("active", "base");
      await driver.view("view", "base");
      await commitEmpty(driver, "committed", "base");
      for (const child of ["active", "view", "committed"]) {
        await rejects(driver.remove("base"), "FailedPrecondition");
        assert.equal((await driver.stat("base")).kind, "committed");
        await driver.remove(child);
      }
      await driver.remove("base");
      await rejects(driver.stat("base"), "NotFound");
    },
  },
  {
    id: "remove-top-down",
    title: "a chain is removed from its top, and in no other order",
    origin: "C",
    async run({ driver }) {
      const names = ["1", "2", "3", "4"];
      for (const [n, name] of names.entries()) await commitEmpty(driver, name, names[n - 1]);
      for (const name of names.toReversed()) {
        for (const below of names.filter((other) => other < name)) {
          await rejects(driver.remove(below), "FailedPrecondition");
        }
        await driver.remove(name);
      }
      assert.deepEqual(await listIds(driver), []);
    },
  },
  {
    id: "remove-missing",
    title: "what is not there cannot be removed, nor what was removed already",
    origin: "C",
    async run({ driver }) {
      await rejects(driver.remove("never"), "NotFound");
      for (const key of ["key", "view"]) {
        await (key === "key" ? driver.prepare(key) : driver.view(key));
        await driver.remove(key);
        await rejects(driver.remove(key), "NotFound");
      }
      await commitEmpty(driver, "name");
      // Its key is free.
      await rejects(driver.remove("name.key"), "NotFound");
    },
  },
  {
    id: "remove-leaves-siblings",
    title: "removing a snapshot and reclaiming its bytes leaves its parent and siblings as they were",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      await trial.commit("gone", (at) => writeFileSync(`${at}/file`, "gone"), "base");
      await trial.commit("kept", (at) => writeFileSync(`${at}/own`, "kept"), "base");
      await driver.remove("gone");
      await driver.cleanup();
      for (const id of ["base", "kept"]) {
        await trial.look(id, (at) => assert.equal(readFileSync(`${at}/file`, "utf8"), "base"));
      }
      await trial.look("kept", (at) => assert.equal(readFileSync(`${at}/own`, "utf8"), "kept"));
      assert.deepEqual(await driver.check(), []);
    },
  },
  {
    id: "cleanup-gives-bytes-back",
    title: "cleanup gives the bytes of what was removed back, and says how many; a second one finds nothing",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const sizeBytes = 8 * 2 ** 20;
      const active = await driver.prepare("key");
      await trial.edit(active, (at) => writeFileSync(`${at}/big`, Buffer.alloc(sizeBytes, 1)));
      await active.commit("name");
      await driver.remove("name");
      const report = await driver.cleanup();
      assert.equal(report.removed, 1);
      assert(report.bytes >= sizeBytes, `${report.bytes} bytes are too few`);
      assert.deepEqual(await driver.cleanup(), { removed: 0, bytes: 0 });
    },
  },
  {
    id: "cleanup-of-every-kind",
    title: "cleanup leaves nothing of removed actives, views and committed snapshots, mounted before or not",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const before = await rootFootprint(trial);
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const active = await driver.prepare("active", "base");
      await trial.edit(active, (at) => writeFileSync(`${at}/file`, "active"));
      const view = await driver.view("view", "base");
      await (await view.mount()).close();
      for (const id of ["active", "view", "base"]) await driver.remove(id);
      await driver.cleanup();
      assert.deepEqual(await rootFootprint(trial), before);
    },
  },
  {
    id: "cleanup-spares-the-living",
    title: "cleanup touches nothing that has a key or name, mounted or not",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const active = await driver.prepare("active", "base");
      await driver.view("view", "base");
      await using mount = await active.mount();
      writeFileSync(`${mount.path}/file`, "changed");
      assert.deepEqual(await driver.cleanup(), { removed: 0, bytes: 0 });
      assert.equal(readFileSync(`${mount.path}/file`, "utf8"), "changed");
      await trial.look("view", (at) => assert.equal(readFileSync(`${at}/file`, "utf8"), "base"));
      assert.deepEqual(await listIds(driver), ["active", "base", "view"]);
    },
  },
  {
    id: "check-clean",
    title: "a check finds nothing wrong at any time of a snapshot's life",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const clean = async () => assert.deepEqual(await driver.check(), []);
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const active = await driver.prepare("active", "base");
      await driver.view("view", "base");
      await clean();
      {
        await using mount = await active.mount();
        writeFileSync(`${mount.path}/file`, "changed");
        await clean();
      }
      await active.commit("top");
      await clean();
      await driver.remove("view");
      await driver.remove("top");
      await clean();
      await driver.cleanup();
      await clean();
    },
  },
  {
    id: "check-changes-nothing",
    title: "a check changes nothing",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      await trial.driver.prepare("active", "base");
      await trial.driver.remove("active");
      const names = () => readdirSync(trial.root, { recursive: true, encoding: "utf8" }).sort();
      const before = names();
      await trial.driver.check();
      assert.deepEqual(names(), before);
    },
  },
];
