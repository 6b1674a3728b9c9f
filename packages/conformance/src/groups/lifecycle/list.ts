import assert from "node:assert/strict";
import type { SnapshotFilter, StorageDriver } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { commitEmpty, listIds, openActive } from "../../snapshots.ts";

/** Walking all snapshots. */
export const list: readonly Behaviour[] = [
  {
    id: "list-exact",
    title: "the list holds what there is, each once, as stat says, after every step",
    origin: "S",
    async run({ driver }) {
      const holds = async (...ids: readonly string[]) => {
        assert.deepEqual(await listIds(driver), ids);
        for await (const info of driver.list()) assert.deepEqual(info, await driver.stat(info.id));
      };
      await holds();
      const active = await driver.prepare("active", undefined, { labels: { a: "1" } });
      await holds("active");
      await active.commit("base");
      await holds("base");
      await driver.view("view", "base");
      await driver.prepare("child", "base");
      await holds("base", "child", "view");
      await driver.remove("child");
      await holds("base", "view");
      await driver.cleanup();
      await holds("base", "view");
      await driver.remove("view");
      await driver.remove("base");
      await holds();
    },
  },
  filtered("kind", [
    [{ kind: "active" }, ["a1", "a2"]],
    [{ kind: "view" }, ["v1", "v2"]],
    [{ kind: "committed" }, ["base", "top"]],
  ]),
  filtered("parent", [
    [{ parent: "base" }, ["a1", "top", "v1"]],
    [{ parent: "top" }, ["v2"]],
    [{ parent: "nobody" }, []],
  ]),
  filtered("labels", [
    [{ labels: { x: "1" } }, ["a1", "a2", "base"]],
    [{ labels: { x: "1", y: "1" } }, ["a1"]],
    [{ labels: { x: "2" } }, []],
    [{ labels: { z: "1" } }, []],
    [{ labels: { toString: "1" } }, []],
    [{ labels: {} }, ["a1", "a2", "base", "top", "v1", "v2"]],
  ]),
  filtered("all", [
    [{}, ["a1", "a2", "base", "top", "v1", "v2"]],
    [{ kind: "active", parent: "base" }, ["a1"]],
    [{ kind: "active", labels: { x: "1" } }, ["a1", "a2"]],
    [{ kind: "view", parent: "base", labels: { x: "1" } }, []],
    [{ kind: "active", parent: "base", labels: { y: "1" } }, ["a1"]],
  ]),
  {
    id: "stat-in-walk",
    title: "other calls work in the middle of a walk",
    origin: "C",
    async run({ driver }) {
      for (let n = 0; n < 20; n++) await driver.prepare(`key-${n}`);
      let seen = 0;
      for await (const { id } of driver.list()) {
        seen += 1;
        assert.equal((await driver.stat(id)).id, id);
        assert.equal((await driver.open(id)).id, id);
        await driver.setLabels(id, { seen: "yes" });
      }
      assert.equal(seen, 20);
      assert.equal((await listIds(driver, { labels: { seen: "yes" } })).length, 20);
    },
  },
  {
    id: "remove-in-walk",
    title: "snapshots may be removed and made in the middle of a walk, which misses none of the others",
    origin: "N",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      for (let n = 0; n < 50; n++) await driver.prepare(`key-${n}`);
      const seen = new Set<string>();
      for await (const { id } of driver.list({ kind: "active" })) {
        assert(!seen.has(id), `${id} comes twice`);
        seen.add(id);
        if (!id.startsWith("key-")) continue;
        await driver.remove(id);
        await driver.view(`made-${seen.size}`, "base");
      }
      for (let n = 0; n < 50; n++) assert(seen.has(`key-${n}`), `key-${n} was missed`);
      assert.deepEqual(await listIds(driver, { kind: "active" }), []);
      assert.equal((await listIds(driver, { kind: "view" })).length, 50);
    },
  },
  {
    id: "commit-in-walk",
    title: "a snapshot that is committed in the middle of a walk is not missed",
    origin: "N",
    async run({ driver }) {
      for (let n = 0; n < 20; n++) await driver.prepare(`key-${n}`);
      const seen = new Set<string>();
      for await (const { id } of driver.list()) {
        seen.add(id.replace("name", "key"));
        // Another than the one that was just seen.
        const left = await listIds(driver, { kind: "active" });
        const next = left.find((key) => key !== id);
        if (next !== undefined) await (await openActive(driver, next)).commit(next.replace("key", "name"));
      }
      for (let n = 0; n < 20; n++) assert(seen.has(`key-${n}`), `key-${n} was missed`);
    },
  },
  {
    id: "walk-left-early",
    title: "a walk may be left before its end",
    origin: "N",
    async run({ driver }) {
      for (const key of ["a", "b", "c"]) await driver.prepare(key);
      for await (const { id } of driver.list()) {
        await driver.remove(id);
        break;
      }
      assert.equal((await listIds(driver)).length, 2);
    },
  },
];

/** That filters give what they should. */
function filtered(
  by: string,
  expected: readonly (readonly [SnapshotFilter, readonly string[]])[],
): Behaviour {
  return {
    id: `walk-filters-${by}`,
    title: by === "all" ? "filters narrow each other" : `a walk can be narrowed by ${by}`,
    origin: "C",
    async run({ driver }) {
      await makeSome(driver);
      for (const [filter, ids] of expected) {
        assert.deepEqual(await listIds(driver, filter), ids, JSON.stringify(filter));
      }
    },
  };
}

async function makeSome(driver: StorageDriver): Promise<void> {
  const base = await driver.prepare("base.key", undefined, { labels: { x: "1" } });
  await base.commit("base");
  await commitEmpty(driver, "top", "base");
  await driver.prepare("a1", "base", { labels: { x: "1", y: "1" } });
  await driver.prepare("a2", undefined, { labels: { x: "1" } });
  await driver.view("v1", "base");
  await driver.view("v2", "top");
}
