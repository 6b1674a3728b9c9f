import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import type { StorageDriver } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { commitEmpty, listIds } from "../../snapshots.ts";

/** Keys and names share one space: what is taken, and when it is free again. */
export const taken: readonly Behaviour[] = [
  {
    id: "duplicate-key-prepare",
    title: "the key of an active snapshot cannot be prepared again",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      await driver.prepare("key", "base", { labels: { first: "1" } });
      await refusesTaken(driver, () => driver.prepare("key"));
      await refusesTaken(driver, () => driver.prepare("key", "base"));
      assert.deepEqual((await driver.stat("key")).labels, { first: "1" });
    },
  },
  {
    id: "duplicate-key-view",
    title: "the key of a view cannot be viewed again",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      await driver.view("key", "base");
      await refusesTaken(driver, () => driver.view("key", "base"));
      await refusesTaken(driver, () => driver.view("key"));
    },
  },
  {
    id: "duplicate-key-mixed",
    title: "actives and views cannot have each other's keys",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      await driver.prepare("active");
      await driver.view("view", "base");
      await refusesTaken(driver, () => driver.view("active", "base"));
      await refusesTaken(driver, () => driver.prepare("view", "base"));
    },
  },
  {
    id: "name-collision",
    title: "a snapshot cannot be committed under another's name, and stays active",
    origin: "C",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("name", (at) => writeFileSync(`${at}/first`, ""));
      const second = await driver.prepare("second");
      await refusesTaken(driver, () => second.commit("name"));
      assert.equal((await driver.stat("second")).kind, "active");
      await trial.look("name", (at) => assert.deepEqual(readdirSync(at), ["first"]));
      await second.commit("another");
    },
  },
  {
    id: "name-is-no-key",
    title: "the name of a committed snapshot cannot be a key",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "name");
      await refusesTaken(driver, () => driver.prepare("name"));
      await refusesTaken(driver, () => driver.view("name", "name"));
    },
  },
  {
    id: "key-is-no-name",
    title: "a key cannot be the name of another snapshot, nor of its own",
    origin: "C",
    async run({ driver }) {
      await driver.prepare("active");
      await driver.view("view");
      const snapshot = await driver.prepare("own");
      for (const id of ["active", "view", "own"]) await refusesTaken(driver, () => snapshot.commit(id));
      await snapshot.commit("fresh");
    },
  },
  {
    id: "key-reuse-after-remove",
    title: "the key of a removed snapshot is free at once, for a new and empty one of any kind",
    origin: "C",
    async run(trial) {
      const { driver } = trial;
      await commitEmpty(driver, "base");
      const first = await driver.prepare("key", "base");
      await trial.edit(first, (at) => writeFileSync(`${at}/left`, ""));
      await driver.remove("key");
      await driver.view("key");
      await trial.look("key", (at) => assert.deepEqual(readdirSync(at), []));
      await driver.remove("key");
      const second = await driver.prepare("key");
      await trial.look("key", (at) => assert.deepEqual(readdirSync(at), []));
      await second.commit("name");
    },
  },
  {
    id: "name-reuse-after-remove",
    title: "the name of a removed snapshot is free at once",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("name", (at) => writeFileSync(`${at}/first`, ""));
      await driver.remove("name");
      await trial.commit("name", (at) => writeFileSync(`${at}/second`, ""));
      await trial.look("name", (at) => assert.deepEqual(readdirSync(at), ["second"]));
    },
  },
];

/** That a call is refused with AlreadyExists, and changes nothing in the list. */
async function refusesTaken(driver: StorageDriver, call: () => Promise<unknown>): Promise<void> {
  const before = await listIds(driver);
  await rejects(call(), "AlreadyExists");
  assert.deepEqual(await listIds(driver), before);
}
