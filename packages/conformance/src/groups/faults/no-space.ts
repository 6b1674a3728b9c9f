import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoCode, type StorageDriver } from "@strata/core";
import type { Behaviour, Need } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import type { Trial } from "../../trial.ts";
import { CrampedDriver, tree } from "./space.ts";

const needs: readonly Need[] = ["state on disk", "host:root", "host:mkfs.ext4"];

async function withBase(trial: Trial): Promise<CrampedDriver> {
  const cramped = await CrampedDriver.make(trial);
  const base = await (await cramped.open({ durability: "commit" })).prepare("base.key");
  await trial.edit(base, (at) => {
    tree(at);
    writeFileSync(join(at, "new"), "here");
  });
  await base.commit("base");
  return cramped;
}

/** What a disk without space leaves undone, and leaves as it was. */
export const noSpace: readonly Behaviour[] = [
  {
    id: "no-space-open",
    title: "opening a driver on a full disk says so, and works when there is space",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await CrampedDriver.make(trial);
      cramped.disk.fill([]);
      await rejects(cramped.open(), "NoSpace");
      cramped.disk.relieve();
      const driver = await cramped.open();
      await driver.prepare("key");
      assert.deepEqual(await driver.check(), []);
    },
  },
  {
    id: "no-space-prepare",
    title: "prepare on a full disk makes nothing, and works when there is space",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver } = cramped;
      const failures = await cramped.untilItFits(() => driver.prepare("child", "base"));
      // A copy of two megabytes cannot have found room at once.
      if (!driver.capabilities.sharesParent.supported) assert(failures > 3, `${failures} failures`);
      assert.equal((await driver.stat("child")).kind, "active");
    },
  },
  {
    id: "no-space-view",
    title: "view on a full disk makes nothing, and works when there is space",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver } = cramped;
      await cramped.untilItFits(() => driver.view("child", "base"));
      await reads(driver, "child", "new", "here");
    },
  },
  {
    id: "no-space-mount",
    title: "mount on a full disk mounts nothing, and works when there is space",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await withBase(trial);
      const active = await cramped.driver.prepare("child", "base");
      await cramped.untilItFits(async () => (await active.mount()).close(), {
        unchanged: async () => assert.equal(await active.mountedAt(), undefined),
      });
    },
  },
  {
    id: "no-space-commit",
    title: "commit on a full disk leaves the snapshot active, and works when there is space",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver } = cramped;
      const active = await driver.prepare("child", "base");
      await trial.edit(active, (at) => writeFileSync(join(at, "new"), "x".repeat(5000)));
      await cramped.untilItFits(
        // Labels that do not fit into a block.
        () => active.commit("committed", { labels: { long: "x".repeat(20_000) } }),
        { unchanged: async () => assert.equal((await driver.stat("child")).kind, "active") },
      );
      assert.equal((await driver.stat("committed")).labels["long"]?.length, 20_000);
      await driver.view("look", "committed");
      await reads(driver, "look", "new", "x".repeat(5000));
    },
  },
  {
    id: "no-space-labels",
    title: "labels that do not fit on a full disk leave the old ones, and fit when there is space",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver } = cramped;
      await driver.setLabels("base", { old: "1" });
      const labels = { long: "x".repeat(40_000) };
      await cramped.untilItFits(() => driver.setLabels("base", labels));
      assert.deepEqual((await driver.stat("base")).labels, labels);
    },
  },
  {
    id: "no-space-write",
    title: "a write into a snapshot on a full disk fails, and what is there can be read and committed",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver, disk } = cramped;
      const active = await driver.prepare("child", "base");
      await trial.edit(active, (at) => {
        writeFileSync(join(at, "new"), "kept");
        disk.fill([]);
        assert.equal(
          failureOf(() => writeFileSync(join(at, "big"), Buffer.alloc(2 ** 20, 1))),
          "ENOSPC",
        );
      });
      disk.relieve();
      await active.commit("committed");
      await driver.view("look", "committed");
      await reads(driver, "look", "new", "kept");
    },
  },
  {
    id: "no-space-remove",
    title: "remove and cleanup work on a full disk, and give its space back",
    origin: "N",
    needs,
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver, disk } = cramped;
      disk.fill([]);
      await driver.remove("base");
      await rejects(driver.stat("base"), "NotFound");
      await driver.cleanup();
      const free = await disk.freeAgain(2_000_000);
      assert(free >= 2_000_000, `only ${free} bytes are free`);
      await driver.prepare("again");
    },
  },
  {
    id: "no-inodes-prepare",
    title: "prepare without an inode left makes nothing, and works when there are some",
    origin: "N",
    needs: [...needs, "inode table"],
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver } = cramped;
      const failures = await cramped.untilItFits(() => driver.prepare("child", "base"), { full: "inodes" });
      assert(failures > 0);
      await reads(driver, "child", "new", "here");
    },
  },
  {
    id: "no-inodes-commit",
    title: "commit without an inode left leaves the snapshot active, and works when there are some",
    origin: "N",
    needs: [...needs, "inode table"],
    async run(trial) {
      await using cramped = await withBase(trial);
      const { driver } = cramped;
      const active = await driver.prepare("child", "base");
      await cramped.untilItFits(() => active.commit("committed"), {
        full: "inodes",
        unchanged: async () => assert.equal((await driver.stat("child")).kind, "active"),
      });
      await driver.view("look", "committed");
      await reads(driver, "look", "new", "here");
    },
  },
  {
    id: "edquot-write",
    title: "a write beyond the quota fails, and what is there can be read and committed",
    origin: "N",
    needs: ["quotaBytes"],
    async run({ driver }) {
      const active = await driver.prepare("key", undefined, { quota: { bytes: 4 * 2 ** 20 } });
      {
        await using mount = await active.mount();
        writeFileSync(join(mount.path, "new"), "kept");
        const failure = failureOf(() => writeFileSync(join(mount.path, "big"), randomBytes(8 * 2 ** 20)));
        // Which of the two depends on how the kernel limits it: project quotas of xfs and tmpfs say ENOSPC.
        assert(failure === "EDQUOT" || failure === "ENOSPC", `it ended with ${failure}`);
        rmSync(join(mount.path, "big"));
      }
      await active.commit("committed");
      await driver.view("look", "committed");
      await reads(driver, "look", "new", "kept");
    },
  },
];

async function reads(driver: StorageDriver, key: string, name: string, text: string): Promise<void> {
  const snapshot = await driver.open(key);
  assert(snapshot.kind !== "committed");
  await using mount = await snapshot.mount();
  assert.equal(readFileSync(join(mount.path, name), "utf8"), text);
}

function failureOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return errnoCode(error);
  }
}
