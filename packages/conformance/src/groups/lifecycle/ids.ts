import assert from "node:assert/strict";
import type { StorageDriver } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects, rejectsTypeError } from "../../expect.ts";
import { commitEmpty, listIds, openActive } from "../../snapshots.ts";

const invalid = ["", ".", "..", "a/b", "/a", "../a", "-a", ".a", "ä", "a b", "a\n", "a\0", "a".repeat(256)];

/** What may be a key or a name, and what may not. */
export const ids: readonly Behaviour[] = [
  {
    id: "valid-ids",
    title: "a digest, 255 characters and every character that is allowed can be ids",
    origin: "N",
    async run({ driver }) {
      for (const id of [`sha256:${"0".repeat(64)}`, "a".repeat(255), "Az09_.:@+-", "7"]) {
        const active = await driver.prepare("key");
        await active.commit(id);
        assert.equal((await driver.stat(id)).id, id);
        assert.deepEqual(await listIds(driver), [id]);
        await driver.remove(id);
        await driver.prepare(id);
        assert.equal((await driver.open(id)).id, id);
        await driver.remove(id);
      }
    },
  },
  {
    id: "ids-case-sensitive",
    title: "ids that differ in case are two",
    origin: "N",
    async run({ driver }) {
      await driver.prepare("key");
      await driver.prepare("KEY");
      await rejects(driver.stat("Key"), "NotFound");
      assert.deepEqual(await listIds(driver), ["KEY", "key"]);
    },
  },
  refused("prepare", "a key", (driver, id) => driver.prepare(id)),
  refused("view", "a view's key", (driver, id) => driver.view(id, "base")),
  refused("parent", "a parent", (driver, id) => driver.prepare("new", id)),
  refused("commit", "a name", async (driver, id) => (await openActive(driver, "active")).commit(id)),
  refused("lookup", "what is looked up", async (driver, id) => {
    for (const call of [driver.open(id), driver.stat(id), driver.usage(id), driver.setLabels(id, {})]) {
      await rejects(call, "InvalidArgument");
    }
    await driver.remove(id);
  }),
  {
    id: "id-not-a-string",
    title: "an id that is no string is a TypeError",
    origin: "N",
    async run({ driver }) {
      const active = await driver.prepare("active");
      for (const id of [JSON.parse("7"), JSON.parse("null"), JSON.parse("{}")]) {
        for (const call of [
          () => driver.prepare(id),
          () => driver.view(id),
          () => driver.prepare("new", id),
          () => driver.open(id),
          () => driver.stat(id),
          () => driver.usage(id),
          () => driver.setLabels(id, {}),
          () => driver.remove(id),
          () => active.commit(id),
          () => active.commit("new", { parent: id }),
        ]) {
          await rejectsTypeError(call);
        }
      }
      assert.deepEqual(await listIds(driver), ["active"]);
    },
  },
];

/** That what is no id is refused by a call; it finds `base`, committed, and `active`. */
function refused(
  name: string,
  what: string,
  call: (driver: StorageDriver, id: string) => Promise<unknown>,
): Behaviour {
  return {
    id: `invalid-id-${name}`,
    title: `${what} that is no id is refused with InvalidArgument, and nothing comes of it`,
    origin: "N",
    async run({ driver }) {
      await commitEmpty(driver, "base");
      await driver.prepare("active");
      for (const id of invalid) await rejects(call(driver, id), "InvalidArgument");
      assert.deepEqual(await listIds(driver), ["active", "base"]);
    },
  };
}
