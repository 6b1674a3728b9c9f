import assert from "node:assert/strict";
import type { Behaviour } from "../../behaviour.ts";
import { rejectsTypeError } from "../../expect.ts";
import { commitEmpty, listIds } from "../../snapshots.ts";

/** Labels: strings that a caller keeps with a snapshot. */
export const labels: readonly Behaviour[] = [
  {
    id: "labels-replaced",
    title: "new labels take the place of all old ones, and nothing else changes",
    origin: "C",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      await driver.prepare("active", "base", { labels: { one: "1", two: "2" } });
      await driver.view("view", "base", { labels: { one: "1", two: "2" } });
      for (const id of ["active", "view", "base"]) {
        const { labels: _, updatedAt: before, ...rest } = await driver.stat(id);
        const info = await driver.setLabels(id, { three: "3" });
        assert.deepEqual(await driver.stat(id), info);
        const { labels: now, updatedAt: after, ...same } = info;
        assert.deepEqual(now, { three: "3" });
        assert.deepEqual(same, rest);
        assert(after >= before);
      }
      await driver.setLabels("active", {});
      assert.deepEqual((await driver.stat("active")).labels, {});
    },
  },
  {
    id: "labels-of-any-name",
    title: "labels may have any names and values",
    origin: "N",
    async run({ driver }) {
      const text =
        '{"__proto__": "p", "constructor": "c", "": "", "a/b.c:d": "\\n\\"", "ключ": "значение", "n": "7"}';
      const odd = JSON.parse(text);
      await driver.prepare("key", undefined, { labels: odd });
      assert.deepEqual(Object.entries((await driver.stat("key")).labels).sort(), Object.entries(odd).sort());
      await driver.setLabels("key", {});
      await driver.setLabels("key", odd);
      assert.deepEqual(Object.entries((await driver.stat("key")).labels).sort(), Object.entries(odd).sort());
    },
  },
  {
    id: "labels-not-inherited",
    title: "a child or view has labels of its own, not its parent's",
    origin: "N",
    async run({ driver }) {
      const base = await driver.prepare("base.key", undefined, { labels: { of: "base" } });
      await base.commit("base");
      await driver.prepare("active", "base");
      await driver.view("view", "base");
      for (const id of ["active", "view"]) {
        assert.deepEqual((await driver.stat(id)).labels, {});
        await driver.setLabels(id, { of: id });
      }
      assert.deepEqual((await driver.stat("base")).labels, { of: "base" });
    },
  },
  {
    id: "labels-survive-close",
    title: "new labels of a committed snapshot are there when the driver is opened anew",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      await commitEmpty(trial.driver, "base");
      await trial.driver.setLabels("base", { kept: "1" });
      await trial.driver.close();
      assert.deepEqual((await (await trial.reopen()).stat("base")).labels, { kept: "1" });
    },
  },
  {
    id: "labels-not-strings",
    title: "labels that are no object of strings are a TypeError, and nothing comes of it",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("key", undefined, { labels: { a: "1" } });
      for (const text of ['{ "size": 7 }', '{ "none": null }', "7", '"text"', '["a"]']) {
        const wrong = JSON.parse(text);
        await rejectsTypeError(() => driver.prepare("new", undefined, { labels: wrong }));
        await rejectsTypeError(() => driver.view("new", undefined, { labels: wrong }));
        await rejectsTypeError(() => driver.setLabels("key", wrong));
        await rejectsTypeError(() => active.commit("new", { labels: wrong }));
      }
      assert.deepEqual(await listIds(driver), ["key"]);
      assert.deepEqual((await driver.stat("key")).labels, { a: "1" });
    },
  },
];
