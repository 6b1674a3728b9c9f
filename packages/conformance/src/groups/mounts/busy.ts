import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { mountsBelow } from "../../host/scratch.ts";
import { make } from "../../snapshots.ts";

const kinds = ["active", "view"] as const;

/** What a mount keeps others from, and files that are open in one. */
export const busy: readonly Behaviour[] = [
  {
    id: "busy-remove",
    title: "a mounted snapshot cannot be removed, and then it can",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      for (const kind of kinds) {
        const snapshot = await make(trial.driver, kind, "key", "base");
        const mount = await snapshot.mount();
        await rejects(trial.driver.remove("key"), "Busy");
        assert.equal(await snapshot.mountedAt(), mount.path);
        assert.equal(readFileSync(`${mount.path}/file`, "utf8"), "base");
        await mount.close();
        await trial.driver.remove("key");
      }
    },
  },
  {
    id: "busy-commit",
    title: "a mounted snapshot cannot be committed, and then it can",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key");
      const mount = await active.mount();
      await rejects(active.commit("name"), "Busy");
      await rejects(driver.stat("name"), "NotFound");
      writeFileSync(`${mount.path}/file`, "");
      await mount.close();
      await active.commit("name");
    },
  },
  {
    id: "labels-while-mounted",
    title: "the labels of a mounted snapshot can be replaced, and its usage be asked for",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key");
      await using mount = await active.mount();
      await driver.setLabels("key", { a: "1" });
      assert((await driver.usage("key")).inodes >= 0);
      assert.equal(await active.mountedAt(), mount.path);
      assert.deepEqual((await driver.stat("key")).labels, { a: "1" });
    },
  },
  {
    id: "busy-close",
    title: "a mount with open files in it stays when its closing is refused with Busy, and is closed later",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      for (const kind of kinds) {
        const snapshot = await make(trial.driver, kind, kind, "base");
        const mount = await snapshot.mount();
        const fd = openSync(`${mount.path}/file`, "r");
        try {
          // A tree that is visible without a mount has nothing that could be busy.
          if (!isMountPoint(trial.root, mount.path)) continue;
          await rejects(mount.close(), "Busy");
          assert.equal(await snapshot.mountedAt(), mount.path);
          assert(isMountPoint(trial.root, mount.path));
        } finally {
          closeSync(fd);
          await mount.close();
        }
        assert.equal(await snapshot.mountedAt(), undefined);
      }
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
    },
  },
  {
    id: "busy-unmount",
    title: "a persistent mount with open files in it is kept with Busy, and given up later",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      for (const kind of kinds) {
        const snapshot = await make(trial.driver, kind, kind, "base");
        const { path } = await snapshot.mount({ persistent: true });
        const fd = openSync(`${path}/file`, "r");
        try {
          if (!isMountPoint(trial.root, path)) continue;
          await rejects(snapshot.unmount(), "Busy");
          assert.equal(await snapshot.mountedAt(), path);
        } finally {
          closeSync(fd);
          assert.equal(await snapshot.unmount(), true);
        }
        assert.equal(await snapshot.mountedAt(), undefined);
      }
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
    },
  },
  {
    id: "force-unmount",
    title: "a persistent mount with open files in it goes by force; the open files can still be read",
    origin: "S",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      for (const kind of kinds) {
        const snapshot = await make(trial.driver, kind, kind, "base");
        const { path } = await snapshot.mount({ persistent: true });
        const fd = openSync(`${path}/file`, "r");
        try {
          assert.equal(await snapshot.unmount({ force: true }), true);
          assert.equal(await snapshot.mountedAt(), undefined);
          assert.deepEqual(mountsBelow(trial.root).map(String), []);
          const content = Buffer.alloc(4);
          readSync(fd, content);
          assert.equal(content.toString(), "base");
        } finally {
          closeSync(fd);
        }
        await trial.driver.remove(kind);
      }
      await trial.driver.cleanup();
    },
  },
  {
    id: "busy-driver-close",
    title: "a driver with open files in its mounts is refused to close with Busy, and the mount closed later",
    origin: "N",
    async run(trial) {
      const active = await trial.driver.prepare("key");
      const mount = await active.mount();
      mkdirSync(`${mount.path}/dir`);
      const fd = openSync(`${mount.path}/dir`, "r");
      try {
        if (!isMountPoint(trial.root, mount.path)) return;
        await rejects(trial.driver.close(), "Busy");
        assert(isMountPoint(trial.root, mount.path));
      } finally {
        closeSync(fd);
      }
      await trial.driver.close();
      await mount.close();
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
    },
  },
];

function isMountPoint(root: string, path: string): boolean {
  return mountsBelow(root).some((mountPoint) => mountPoint.toString() === path);
}
