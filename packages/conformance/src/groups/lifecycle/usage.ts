import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import type { Usage } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import type { Trial } from "../../trial.ts";

const mebibyte = 2 ** 20;

/** The disk space that a snapshot alone holds. */
export const usage: readonly Behaviour[] = [
  {
    id: "usage-counts",
    title: "usage says how many bytes and inodes a snapshot takes, a file with several names once",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const active = await driver.prepare("key");
      const empty = await driver.usage("key");
      await trial.edit(active, (at) => {
        writeFileSync(`${at}/file`, randomBytes(4 * mebibyte));
        for (let n = 0; n < 10; n++) linkSync(`${at}/file`, `${at}/link-${n}`);
        for (let n = 0; n < 20; n++) mkdirSync(`${at}/dir-${n}`);
      });
      await holds(trial, "key", 4 * mebibyte, 21, empty);
      await active.commit("name");
      await holds(trial, "name", 4 * mebibyte, 21, empty);
    },
  },
  {
    id: "shares-parent",
    title: "a child or view that changed nothing takes about nothing, whatever the size of its parent",
    origin: "N",
    needs: ["sharesParent"],
    async run(trial) {
      await commitBig(trial);
      await trial.driver.prepare("child", "base");
      await trial.driver.view("view", "base");
      for (const id of ["child", "view"]) {
        await trial.look(id, () => {});
        await holds(trial, id, 0, 0);
      }
      assert((await trial.driver.usage("base")).bytes >= 4 * mebibyte);
    },
  },
  {
    id: "shares-parent-but-changes",
    title: "a child takes the room of what it changed, and its parent's counts as the parent's",
    origin: "N",
    needs: ["sharesParent"],
    async run(trial) {
      await commitBig(trial);
      const before = await trial.driver.usage("base");
      const active = await trial.driver.prepare("key", "base");
      await trial.edit(active, (at) => writeFileSync(`${at}/new`, randomBytes(2 * mebibyte)));
      await holds(trial, "key", 2 * mebibyte, 1);
      await active.commit("name");
      await holds(trial, "name", 2 * mebibyte, 1);
      assert.deepEqual(await trial.driver.usage("base"), before);
    },
  },
  {
    id: "copies-parent",
    title: "a child that is a copy takes the room of its parent's whole tree",
    origin: "N",
    needs: ["no sharesParent"],
    async run(trial) {
      await commitBig(trial);
      await trial.driver.prepare("child", "base");
      const base = await trial.driver.usage("base");
      await holds(trial, "child", base.bytes, base.inodes, { bytes: 0, inodes: 0 });
    },
  },
];

/** Commit `base` with 100 files, 4 MiB in all. */
async function commitBig(trial: Trial): Promise<void> {
  await trial.commit("base", (at) => {
    for (let n = 0; n < 100; n++) writeFileSync(`${at}/file-${n}`, randomBytes((4 * mebibyte) / 100));
  });
}

/**
 * That a snapshot takes this much more than an empty one. What is written takes its room at the latest after a sync; and
 * directories and metadata take some, too, of which each file system has its own idea.
 */
async function holds(trial: Trial, id: string, bytes: number, inodes: number, empty?: Usage): Promise<void> {
  const { driver } = trial;
  await (await trial.reopen({ durability: "commit" })).sync();
  const found = await driver.usage(id);
  const base = empty ?? { bytes: 0, inodes: 0 };
  const grown = { bytes: found.bytes - base.bytes, inodes: found.inodes - base.inodes };
  const near = grown.bytes >= bytes * 0.99 && grown.bytes <= bytes * 1.05 + mebibyte / 2;
  assert(near, `${id} takes ${grown.bytes} bytes, not about ${bytes}`);
  assert(
    grown.inodes >= inodes && grown.inodes <= inodes + 5,
    `${id} takes ${grown.inodes} inodes, not about ${inodes}`,
  );
}
