import assert from "node:assert/strict";
import { realpathSync, statSync, symlinkSync } from "node:fs";
import { isStrataError } from "@strata/core";
import { MOUNT_ATTR_RDONLY } from "@strata/linux";
import type { Behaviour } from "../../behaviour.ts";
import { rejects, rejectsTypeError } from "../../expect.ts";
import { MountedFileSystem } from "../../host/mounted-file-system.ts";
import { listIds } from "../../snapshots.ts";
import type { Trial } from "../../trial.ts";

/** Opening a driver on a root, and closing it. */
export const opening: readonly Behaviour[] = [
  {
    id: "empty-root-is-empty",
    title: "a new root holds no snapshots, no damage and no garbage",
    origin: "MS",
    async run({ driver }) {
      assert.deepEqual(await listIds(driver), []);
      assert.deepEqual(await driver.check(), []);
      assert.deepEqual(await driver.cleanup(), { removed: 0, bytes: 0 });
    },
  },
  {
    id: "names-itself",
    title: "a driver says its name, in lower case, and its root, by the real path",
    origin: "N",
    async run({ driver, root, under }) {
      assert.equal(driver.name, under.name);
      assert.equal(driver.name, driver.name.toLowerCase());
      assert.equal(driver.root, realpathSync(root));
    },
  },
  {
    id: "root-made-private",
    title: "a root that is not there is made, with mode 0700, whatever the umask",
    origin: "N",
    async run(trial) {
      const before = process.umask(0);
      try {
        const { root } = await trial.reopen({ root: trial.path("above", "new") });
        assert.equal(statSync(root).mode & 0o7777, 0o700);
      } finally {
        process.umask(before);
      }
    },
  },
  {
    id: "root-by-symlink",
    title: "a root may be named by a symlink, and is known by its real path",
    origin: "N",
    async run(trial) {
      const real = trial.directory("real");
      symlinkSync(real, trial.path("link"));
      const driver = await trial.reopen({ root: trial.path("link") });
      assert.equal(driver.root, realpathSync(real));
      await using mount = await (await driver.prepare("key")).mount();
      assert.equal(mount.path, realpathSync(mount.path));
    },
  },
  {
    id: "probe-explains-unsupported",
    title: "a root where a driver cannot work is refused with Unsupported, and the message names it",
    origin: "S",
    async run(trial) {
      // No file system lets anybody make a directory there.
      await refuses(trial, "/sys/strata");
    },
  },
  {
    id: "refuses-wrong-filesystem",
    title: "a root on a read-only file system is refused with Unsupported, and the message names it",
    origin: "C",
    needs: ["host:root"],
    async run(trial) {
      using mounted = MountedFileSystem.mount("tmpfs", trial.directory("read-only"));
      mounted.setAttributes({ set: MOUNT_ATTR_RDONLY });
      await refuses(trial, mounted.path);
    },
  },
  {
    id: "wrong-options",
    title: "options that are not what their types say are a TypeError",
    origin: "N",
    async run(trial) {
      for (const options of ['{ "root": 7 }', '{ "root": "" }', '{ "durability": "always" }']) {
        await rejectsTypeError(() => trial.reopen(JSON.parse(options)));
      }
    },
  },
  {
    id: "state-survives-close",
    title: "what was made is there again when the driver is opened anew",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base");
      await driver.prepare("active", "base", { labels: { a: "1" } });
      await driver.view("view", "base");
      const infos = await Promise.all(["base", "active", "view"].map((id) => driver.stat(id)));
      await driver.close();
      const again = await trial.reopen();
      assert.deepEqual(await listIds(again), ["active", "base", "view"]);
      assert.deepEqual(await Promise.all(["base", "active", "view"].map((id) => again.stat(id))), infos);
    },
  },
  {
    id: "shared-by-instances",
    title: "what one open driver does, another on the same root sees at once",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const other = await trial.reopen();
      await trial.commit("base");
      const active = await other.prepare("key", "base");
      await rejects(trial.driver.remove("base"), "FailedPrecondition");
      await rejects(trial.driver.prepare("key"), "AlreadyExists");
      await active.commit("top");
      await trial.driver.remove("top");
      assert.deepEqual(await listIds(other), ["base"]);
    },
  },
  {
    id: "close-twice",
    title: "closing a driver twice is fine, also at once",
    origin: "C",
    async run({ driver }) {
      await Promise.all([driver.close(), driver.close()]);
      await driver.close();
      await driver[Symbol.asyncDispose]();
    },
  },
  {
    id: "closed-refuses-calls",
    title: "every other call to a closed driver is refused with FailedPrecondition",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base");
      const active = await driver.prepare("active", "base");
      const view = await driver.view("view", "base");
      await driver.close();
      const calls: Readonly<Record<string, () => Promise<unknown>>> = {
        prepare: () => driver.prepare("new"),
        view: () => driver.view("new", "base"),
        open: () => driver.open("base"),
        stat: () => driver.stat("base"),
        list: () => listIds(driver),
        usage: () => driver.usage("base"),
        setLabels: () => driver.setLabels("active", {}),
        remove: () => driver.remove("active"),
        cleanup: () => driver.cleanup(),
        check: () => driver.check(),
        sync: () => driver.sync(),
        commit: () => active.commit("name"),
        mount: () => view.mount(),
        mountedAt: () => view.mountedAt(),
        unmount: () => view.unmount(),
      };
      for (const [name, call] of Object.entries(calls)) {
        const outcome = await call().then(
          () => "succeeded",
          (error: unknown) => (isStrataError(error) ? error.code : String(error)),
        );
        assert.equal(outcome, "FailedPrecondition", name);
      }
    },
  },
];

async function refuses(trial: Trial, directory: string): Promise<void> {
  const opened = trial.reopen({ root: `${directory}/root` });
  await rejects(opened, "Unsupported");
  await opened.catch((error: Error) =>
    assert(error.message.includes(directory), `the message does not say where: ${error.message}`),
  );
}
