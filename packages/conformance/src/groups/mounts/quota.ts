import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { errnoCode, type Quota } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects, rejectsTypeError } from "../../expect.ts";
import { commitEmpty, listIds, openActive } from "../../snapshots.ts";
import { rootFootprint } from "../../trees/footprint.ts";

const mebibyte = 2 ** 20;

/** Limits on what a snapshot may hold itself. */
export const quota: readonly Behaviour[] = [
  {
    id: "bytes-quota",
    title: "a quota of bytes stops writes beyond it, and what is deleted can be written anew",
    origin: "MS",
    needs: ["quotaBytes"],
    async run(trial) {
      const active = await trial.driver.prepare("key", undefined, { quota: { bytes: 4 * mebibyte } });
      await trial.edit(active, (at) => {
        writeFileSync(`${at}/fits`, randomBytes(mebibyte));
        refusesFull(() => writeFileSync(`${at}/big`, randomBytes(8 * mebibyte)));
        rmSync(`${at}/big`);
        assert.equal(readFileSync(`${at}/fits`).length, mebibyte);
      });
      await active.commit("name");
      await trial.look("name", (at) => assert.equal(readFileSync(`${at}/fits`).length, mebibyte));
    },
  },
  {
    id: "inode-quota",
    title: "a quota of inodes stops new files beyond it",
    origin: "N",
    needs: ["quotaInodes"],
    async run(trial) {
      const active = await trial.driver.prepare("key", undefined, { quota: { inodes: 20 } });
      await trial.edit(active, (at) => {
        let made = 0;
        refusesFull(() => {
          for (; made < 40; made++) writeFileSync(`${at}/${made}`, "");
        });
        assert(made >= 10 && made <= 20, `${made} files were made under a quota of 20 inodes`);
        rmSync(`${at}/0`);
        writeFileSync(`${at}/instead`, "");
      });
      await active.commit("name");
    },
  },
  {
    id: "quota-of-one-snapshot",
    title: "a quota limits its snapshot only: not its siblings, nor its children",
    origin: "N",
    needs: ["quotaBytes"],
    async run(trial) {
      const { driver } = trial;
      const small = await driver.prepare("small", undefined, { quota: { bytes: 2 * mebibyte } });
      const free = await driver.prepare("free");
      await trial.edit(free, (at) => writeFileSync(`${at}/big`, randomBytes(8 * mebibyte)));
      await trial.edit(small, (at) => writeFileSync(`${at}/file`, "small"));
      await small.commit("base");
      const child = await driver.prepare("child", "base");
      await trial.edit(child, (at) => writeFileSync(`${at}/big`, randomBytes(8 * mebibyte)));
    },
  },
  {
    id: "quota-kept",
    title: "a quota holds when the snapshot is mounted again, and when the driver is opened anew",
    origin: "N",
    needs: ["quotaBytes", "state on disk"],
    async run(trial) {
      const active = await trial.driver.prepare("key", undefined, { quota: { bytes: 4 * mebibyte } });
      await trial.edit(active, (at) => writeFileSync(`${at}/file`, ""));
      await trial.driver.close();
      const again = await openActive(await trial.reopen(), "key");
      await trial.edit(again, (at) => {
        refusesFull(() => writeFileSync(`${at}/big`, randomBytes(8 * mebibyte)));
      });
    },
  },
  unsupported("bytes", { bytes: 4 * mebibyte }),
  unsupported("inodes", { inodes: 20 }),
  {
    id: "quota-not-a-number",
    title: "a quota that is no positive whole number is a TypeError",
    origin: "N",
    async run({ driver }) {
      for (const text of ["0", "-1", "1.5", '"1"', "null"]) {
        const wrong = JSON.parse(text);
        await rejectsTypeError(() => driver.prepare("key", undefined, { quota: { bytes: wrong } }));
        await rejectsTypeError(() => driver.prepare("key", undefined, { quota: { inodes: wrong } }));
      }
      assert.deepEqual(await listIds(driver), []);
    },
  },
  {
    id: "quota-of-nothing",
    title: "a quota without limits limits nothing, on every driver",
    origin: "N",
    async run(trial) {
      const active = await trial.driver.prepare("key", undefined, { quota: {} });
      await trial.edit(active, (at) => writeFileSync(`${at}/big`, randomBytes(8 * mebibyte)));
    },
  },
];

/** That a quota which cannot be enforced is refused. */
function unsupported(name: "bytes" | "inodes", limits: Quota): Behaviour {
  return {
    id: `quota-unsupported-throws-${name}`,
    title: `a quota of ${name} that cannot be enforced is refused with Unsupported, and nothing is left of it`,
    origin: "N",
    needs: [name === "bytes" ? "no quotaBytes" : "no quotaInodes"],
    async run(trial) {
      const { driver } = trial;
      await commitEmpty(driver, "base");
      const before = await rootFootprint(trial);
      await rejects(driver.prepare("key", undefined, { quota: limits }), "Unsupported");
      await rejects(driver.prepare("key", "base", { quota: limits }), "Unsupported");
      assert.deepEqual(await rootFootprint(trial), before);
      await driver.remove("base");
    },
  };
}

/** That a write ends as on a full disk. Which of the two depends on how the kernel limits it: some quotas say ENOSPC. */
function refusesFull(write: () => void): void {
  assert.throws(write, (error) => ["EDQUOT", "ENOSPC"].includes(errnoCode(error) ?? ""));
}
