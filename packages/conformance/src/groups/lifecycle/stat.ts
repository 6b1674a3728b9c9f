import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { commitEmpty } from "../../snapshots.ts";

/** What is known about a snapshot. */
export const stat: readonly Behaviour[] = [
  {
    id: "stat-active",
    title: "an active snapshot is known as one, with its key, parent and labels",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      const labels = { a: "1", b: "2" };
      const active = await driver.prepare("child", "base", { labels });
      await driver.prepare("orphan");
      const { createdAt, updatedAt, ...info } = await driver.stat("child");
      assert.deepEqual(info, { kind: "active", id: "child", parent: "base", labels });
      assert(createdAt instanceof Date && updatedAt instanceof Date);
      const orphan = await driver.stat("orphan");
      assert.equal(orphan.parent, undefined);
      assert.deepEqual(orphan.labels, {});
      for (const handle of [active, await driver.open("child")]) {
        assert.deepEqual([handle.kind, handle.id, handle.parent], ["active", "child", "base"]);
      }
    },
  },
  {
    id: "stat-view",
    title: "a view is known as one, with its key, parent and labels",
    origin: "N",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      const view = await driver.view("view", "base", { labels: { v: "1" } });
      const { createdAt, updatedAt, ...info } = await driver.stat("view");
      assert.deepEqual(info, { kind: "view", id: "view", parent: "base", labels: { v: "1" } });
      assert(createdAt instanceof Date && updatedAt instanceof Date);
      for (const handle of [view, await driver.open("view")]) {
        assert.deepEqual([handle.kind, handle.id, handle.parent], ["view", "view", "base"]);
      }
    },
  },
  {
    id: "stat-committed",
    title: "a committed snapshot is known as one, with its name, parent and labels",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      const active = await driver.prepare("key", "base");
      await active.commit("name", { labels: { c: "1" } });
      const { createdAt, updatedAt, ...info } = await driver.stat("name");
      assert.deepEqual(info, { kind: "committed", id: "name", parent: "base", labels: { c: "1" } });
      assert(createdAt instanceof Date && updatedAt instanceof Date);
      const handle = await driver.open("name");
      assert.deepEqual([handle.kind, handle.id, handle.parent], ["committed", "name", "base"]);
      assert.equal((await driver.stat("base")).parent, undefined);
    },
  },
  {
    id: "stat-missing",
    title: "what is not there, or not any more, is NotFound to every call",
    origin: "C",
    async run({ driver }) {
      await driver.prepare("gone");
      await driver.remove("gone");
      for (const id of ["never", "gone"]) {
        await rejects(driver.stat(id), "NotFound");
        await rejects(driver.open(id), "NotFound");
        await rejects(driver.usage(id), "NotFound");
        await rejects(driver.setLabels(id, {}), "NotFound");
        await rejects(driver.remove(id), "NotFound");
      }
    },
  },
  {
    id: "timestamps",
    title: "creation stays when labels or kind change, and the time of the change is known",
    origin: "C",
    async run({ driver }) {
      // Some file systems' clocks lag behind by a tick.
      const start = Date.now() - 50;
      const active = await driver.prepare("key");
      const made = await driver.stat("key");
      const now = Date.now() + 50;
      for (const time of [made.createdAt, made.updatedAt]) {
        assert(time.getTime() >= start && time.getTime() <= now, `${time.toISOString()} is not now`);
      }
      await setTimeout(20);
      const labelled = await driver.setLabels("key", { a: "1" });
      assert.deepEqual(labelled.createdAt, made.createdAt);
      assert(labelled.updatedAt > made.updatedAt, "setLabels is a change");
      await setTimeout(20);
      const committed = await active.commit("name");
      assert.deepEqual(committed.createdAt, made.createdAt);
      assert(committed.updatedAt > labelled.updatedAt, "a commit is a change");
      assert.deepEqual(await driver.stat("name"), committed);
    },
  },
  {
    id: "immutable-fields",
    title: "what a caller does to an info that it was given changes nothing",
    origin: "C",
    async run({ driver }) {
      const labels = { a: "1" };
      await commitEmpty(driver, "base");
      await driver.prepare("key", "base", { labels });
      labels.a = "changed";
      const info = await driver.stat("key");
      assert.deepEqual(info.labels, { a: "1" });
      Reflect.set(info, "parent", "another");
      Reflect.set(info, "kind", "committed");
      Reflect.set(info.labels, "a", "changed");
      info.createdAt.setFullYear(1999);
      const again = await driver.stat("key");
      assert.deepEqual([again.kind, again.parent, again.labels], ["active", "base", { a: "1" }]);
      assert.notEqual(again.createdAt.getFullYear(), 1999);
    },
  },
];
