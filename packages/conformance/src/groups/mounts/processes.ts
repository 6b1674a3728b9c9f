import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { DriverProcess } from "../../host/driver-process.ts";
import { mountsBelow } from "../../host/scratch.ts";
import { openActive } from "../../snapshots.ts";
import type { Trial } from "../../trial.ts";

const inProcesses = ["state on disk", "processes"] as const;

/** Mounts of other processes, living and killed. */
export const processes: readonly Behaviour[] = [
  {
    id: "busy-by-another-process",
    title: "what another process has mounted can be neither committed nor removed",
    origin: "N",
    needs: inProcesses,
    async run(trial) {
      const active = await trial.driver.prepare("key");
      await using child = await DriverProcess.start(trial);
      const path = await child.do(["mount", "key"]);
      assert.equal(await active.mountedAt(), path);
      await rejects(active.commit("name"), "Busy");
      await rejects(trial.driver.remove("key"), "Busy");
      await child.do(["closeMount", "key"]);
      assert.equal(await active.mountedAt(), undefined);
      await active.commit("name");
    },
  },
  {
    id: "mount-survives-another-process",
    title: "a mount stays when another process closes its own, and when that process is killed",
    origin: "N",
    needs: inProcesses,
    async run(trial) {
      const active = await trial.driver.prepare("key");
      const mount = await active.mount();
      await using child = await DriverProcess.start(trial);
      assert.equal(await child.do(["mount", "key"]), mount.path);
      await child.do(["closeMount", "key"]);
      writeFileSync(`${mount.path}/file`, "after its closing");
      await child.do(["mount", "key"]);
      await child.kill();
      assert.equal(await active.mountedAt(), mount.path);
      assert.equal(readFileSync(`${mount.path}/file`, "utf8"), "after its closing");
      await mount.close();
      assert.equal(await active.mountedAt(), undefined);
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
    },
  },
  stale("commit", "can be committed", async ({ driver }) => {
    const active = await openActive(driver, "key");
    await active.commit("name");
  }),
  stale("remove", "can be removed", ({ driver }) => driver.remove("key")),
  stale("mount", "can be mounted, and unmounted by that mount's closing", async ({ driver }) => {
    const active = await openActive(driver, "key");
    const mount = await active.mount();
    assert.equal(readFileSync(`${mount.path}/file`, "utf8"), "of the killed");
    await mount.close();
  }),
  stale("cleanup", "is unmounted by cleanup", ({ driver }) => driver.cleanup()),
  {
    id: "stale-lease-in-use",
    title:
      "what only a killed process had mounted stays while files in it are open, and goes with the next cleanup",
    origin: "N",
    needs: inProcesses,
    async run(trial) {
      await trial.driver.prepare("key");
      await using child = await DriverProcess.start(trial);
      const path = await child.do(["mount", "key"]);
      const fd = openSync(`${path}/file`, "w");
      try {
        await child.kill();
        const before = mountsBelow(trial.root).map(String);
        await trial.driver.cleanup();
        assert.deepEqual(mountsBelow(trial.root).map(String), before);
        writeSync(fd, "still open");
      } finally {
        closeSync(fd);
      }
      await trial.driver.cleanup();
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
      await trial.look("key", (at) => assert.equal(readFileSync(`${at}/file`, "utf8"), "still open"));
    },
  },
  {
    id: "cleanup-spares-living-mounts",
    title: "cleanup leaves the mounts of living processes and persistent ones",
    origin: "N",
    needs: inProcesses,
    async run(trial) {
      const living = await trial.driver.prepare("living");
      const kept = await trial.driver.prepare("kept");
      await using child = await DriverProcess.start(trial);
      const paths = [await child.do(["mount", "living"])];
      paths.push(await child.do(["mount", "kept", { persistent: true }]));
      await trial.driver.cleanup();
      assert.deepEqual([await living.mountedAt(), await kept.mountedAt()], paths);
      await child.do(["write", "living", "file", "still mounted"]);
    },
  },
  {
    id: "persistent-mount-outlives-process",
    title: "a persistent mount outlives a killed process, and any other can unmount it",
    origin: "N",
    needs: inProcesses,
    async run(trial) {
      const active = await trial.driver.prepare("key");
      await using child = await DriverProcess.start(trial);
      const path = await child.do(["mount", "key", { persistent: true }]);
      await child.kill();
      assert.equal(await active.mountedAt(), path);
      await rejects(active.commit("name"), "Busy");
      await trial.driver.cleanup();
      writeFileSync(`${path}/file`, "still mounted");
      await using another = await DriverProcess.start(trial);
      assert.equal(await another.do(["unmount", "key"]), true);
      assert.equal(await active.mountedAt(), undefined);
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
      await active.commit("name");
    },
  },
];

/** That the mount of a killed process does not count, and is gone after `then`; it was of `key`. */
function stale(name: string, what: string, then: (trial: Trial) => Promise<unknown>): Behaviour {
  return {
    id: `stale-lease-after-kill-${name}`,
    title: `what only a killed process had mounted ${what}`,
    origin: "N",
    needs: inProcesses,
    async run(trial) {
      const active = await trial.driver.prepare("key");
      await using child = await DriverProcess.start(trial);
      const path = await child.do(["mount", "key"]);
      writeFileSync(`${path}/file`, "of the killed");
      await child.kill();
      assert.equal(await active.mountedAt(), undefined);
      await then(trial);
      assert.deepEqual(mountsBelow(trial.root).map(String), []);
    },
  };
}
