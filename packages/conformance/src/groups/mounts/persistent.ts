import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { mountsBelow } from "../../host/scratch.ts";
import { make, openActive } from "../../snapshots.ts";

const kinds = ["active", "view"] as const;

/** Mounts that stay when the process that made them ends. */
export const persistent: readonly Behaviour[] = [
  {
    id: "persistent-mount-stays",
    title: "a persistent mount stays when it is closed, until it is unmounted",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      for (const kind of kinds) {
        const snapshot = await make(trial.driver, kind, kind, "base");
        const mount = await snapshot.mount({ persistent: true });
        await mount.close();
        await mount.close();
        assert.equal(await snapshot.mountedAt(), mount.path);
        assert.equal(readFileSync(`${mount.path}/file`, "utf8"), "base");
        assert.equal(await snapshot.unmount(), true);
        assert.equal(await snapshot.mountedAt(), undefined);
      }
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
    },
  },
  {
    id: "persistent-mount-outlives-driver",
    title: "a persistent mount outlives the driver that made it, and a later one can unmount it",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const active = await trial.driver.prepare("key");
      const { path } = await active.mount({ persistent: true });
      await trial.driver.close();
      writeFileSync(`${path}/file`, "still there");
      const later = await openActive(await trial.reopen(), "key");
      assert.equal(await later.mountedAt(), path);
      assert.equal(await later.unmount(), true);
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
      await later.commit("name");
    },
  },
  {
    id: "persistent-mount-busy",
    title:
      "a snapshot with a persistent mount can be neither committed nor removed, nor does cleanup unmount it",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key");
      const { path } = await active.mount({ persistent: true });
      await rejects(active.commit("name"), "Busy");
      await rejects(driver.remove("key"), "Busy");
      await driver.cleanup();
      assert.equal(await active.mountedAt(), path);
      await active.unmount();
      await active.commit("name");
    },
  },
  {
    id: "persistent-mount-and-others",
    title: "a persistent mount and others do not end each other",
    origin: "N",
    async run({ driver, root }) {
      const active = await driver.prepare("key");
      const { path } = await active.mount({ persistent: true });
      const first = await active.mount();
      assert.equal(first.path, path);
      await first.close();
      assert.equal(await active.mountedAt(), path);
      const second = await active.mount();
      assert.equal(await active.unmount(), true);
      assert.equal(await active.mountedAt(), path);
      writeFileSync(`${path}/file`, "");
      await second.close();
      assert.equal(await active.mountedAt(), undefined);
      assert.deepEqual(mountsBelow(root).map(String), []);
    },
  },
  {
    id: "persistent-mount-once",
    title: "there is one persistent mount at most, however often it is asked for",
    origin: "N",
    async run({ driver, root }) {
      const active = await driver.prepare("key");
      const [one, two] = [await active.mount({ persistent: true }), await active.mount({ persistent: true })];
      assert.equal(one.path, two.path);
      assert.equal(await active.unmount(), true);
      assert.equal(await active.mountedAt(), undefined);
      assert.equal(await active.unmount(), false);
      assert.deepEqual(mountsBelow(root).map(String), []);
    },
  },
  {
    id: "unmount-of-nothing",
    title: "unmounting says that there was no persistent mount, and leaves other mounts alone",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key");
      assert.equal(await active.unmount(), false);
      await using mount = await active.mount();
      assert.equal(await active.unmount(), false);
      assert.equal(await active.unmount({ force: true }), false);
      assert.equal(await active.mountedAt(), mount.path);
      writeFileSync(`${mount.path}/file`, "");
    },
  },
];
