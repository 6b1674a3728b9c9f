import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { mountsBelow } from "../../host/scratch.ts";
import { commitEmpty, make, openActive } from "../../snapshots.ts";

const kinds = ["active", "view"] as const;

/** Mounts are counted: a tree is visible while anybody holds one. */
export const counting: readonly Behaviour[] = [
  ...kinds.map((kind): Behaviour => {
    return {
      id: kind === "active" ? "nested-mount-counts" : "nested-mount-counts-view",
      title: `${kind === "active" ? "an active" : "a view"} stays mounted at one path until its last mount is closed`,
      origin: "S",
      async run(trial) {
        await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
        const snapshot = await make(trial.driver, kind, "key", "base");
        const mounts = [await snapshot.mount(), await snapshot.mount(), await snapshot.mount()];
        const [{ path } = assert.fail()] = mounts;
        assert(isAbsolute(path) && statSync(path).isDirectory());
        for (const mount of mounts) {
          assert.equal(mount.path, path);
          assert.equal(await snapshot.mountedAt(), path);
          assert.equal(readFileSync(`${path}/file`, "utf8"), "base");
          await mount.close();
        }
        assert.equal(await snapshot.mountedAt(), undefined);
        assert.deepEqual(mountsBelow(trial.root).map(String), []);
      },
    };
  }),
  {
    id: "dispose-twice",
    title: "closing a mount twice, also at once, gives up one claim",
    origin: "N",
    async run({ driver, root }) {
      const active = await driver.prepare("key");
      const [one, two] = [await active.mount(), await active.mount()];
      await Promise.all([one.close(), one.close()]);
      await one.close();
      await one[Symbol.asyncDispose]();
      assert.equal(await active.mountedAt(), two.path);
      writeFileSync(`${two.path}/file`, "");
      await two.close();
      await two.close();
      assert.equal(await active.mountedAt(), undefined);
      assert.deepEqual(mountsBelow(root).map(String), []);
    },
  },
  {
    id: "mounted-at-unmounted",
    title: "a snapshot that nobody has mounted is mounted nowhere",
    origin: "N",
    async run({ driver, root }) {
      await commitEmpty(driver, "base");
      for (const kind of kinds) {
        assert.equal(await (await make(driver, kind, kind, "base")).mountedAt(), undefined);
      }
      assert.deepEqual(mountsBelow(root).map(String), []);
    },
  },
  {
    id: "mounts-at-once",
    title: "many mounts made and closed at once are as many made one after the other",
    origin: "N",
    async run({ driver, root }) {
      const active = await driver.prepare("key");
      const mounts = await Promise.all(Array.from({ length: 20 }, () => active.mount()));
      const [kept, ...others] = mounts;
      await Promise.all(others.map((mount) => mount.close()));
      assert.equal(await active.mountedAt(), kept?.path);
      // The last is closed while others come.
      const [again] = await Promise.all([active.mount(), kept?.close()]);
      writeFileSync(`${again.path}/file`, "");
      await again.close();
      assert.equal(await active.mountedAt(), undefined);
      assert.deepEqual(mountsBelow(root).map(String), []);
    },
  },
  {
    id: "mounted-together",
    title: "different snapshots of one parent are mounted at different paths, and apart",
    origin: "N",
    async run(trial) {
      await trial.commit("base", (at) => writeFileSync(`${at}/file`, "base"));
      const [one, two] = [
        await trial.driver.prepare("one", "base"),
        await trial.driver.prepare("two", "base"),
      ];
      await using first = await one.mount();
      await using second = await two.mount();
      await using view = await (await trial.driver.view("view", "base")).mount();
      assert.equal(new Set([first.path, second.path, view.path]).size, 3);
      writeFileSync(`${first.path}/file`, "first");
      assert.equal(readFileSync(`${second.path}/file`, "utf8"), "base");
      assert.equal(readFileSync(`${view.path}/file`, "utf8"), "base");
    },
  },
  {
    id: "mounted-again",
    title: "what was written is there when a snapshot is mounted again, as often as one likes",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key");
      for (let round = 0; round < 5; round++) {
        await using mount = await active.mount();
        for (let n = 0; n < round; n++) assert.equal(readFileSync(`${mount.path}/${n}`, "utf8"), `${n}`);
        writeFileSync(`${mount.path}/${round}`, `${round}`);
      }
    },
  },
  {
    id: "mount-of-committed-fails",
    title: "what has been committed since cannot be mounted by its old handle",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key");
      const same = await openActive(driver, "key");
      await active.commit("name");
      for (const handle of [active, same]) {
        await rejects(handle.mount(), "FailedPrecondition");
        await rejects(handle.mount({ persistent: true }), "FailedPrecondition");
      }
    },
  },
  {
    id: "mount-of-missing-fails",
    title: "what has been removed can be neither mounted nor unmounted by its old handle",
    origin: "N",
    async run({ driver, root }) {
      for (const kind of kinds) {
        const snapshot = await make(driver, kind, "key");
        await driver.remove("key");
        await rejects(snapshot.mount(), "NotFound");
        await rejects(snapshot.unmount(), "NotFound");
      }
      assert.deepEqual(mountsBelow(root).map(String), []);
    },
  },
  {
    id: "nothing-left-mounted",
    title: "closing the driver closes all that it mounted, and their own closing is fine afterwards",
    origin: "N",
    async run({ driver, root }) {
      await commitEmpty(driver, "base");
      const mounts = [];
      for (const kind of kinds) {
        const snapshot = await make(driver, kind, kind, "base");
        mounts.push(await snapshot.mount(), await snapshot.mount());
      }
      await driver.close();
      assert.deepEqual(mountsBelow(root).map(String), []);
      for (const mount of mounts) await mount.close();
    },
  },
  {
    id: "mount-survives-anothers-dispose",
    title: "a mount stays when another open driver on the root closes its own, and itself",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const other = await trial.reopen();
      const mine = await trial.driver.prepare("key");
      const theirs = await openActive(other, "key");
      const [one, two] = [await mine.mount(), await theirs.mount()];
      assert.equal(one.path, two.path);
      await two.close();
      assert.equal(await theirs.mountedAt(), one.path);
      await theirs.mount();
      await other.close();
      writeFileSync(`${one.path}/file`, "still there");
      assert.equal(await mine.mountedAt(), one.path);
      await one.close();
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
    },
  },
];
