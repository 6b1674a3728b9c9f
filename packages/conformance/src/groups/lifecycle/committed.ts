import assert from "node:assert/strict";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";

/** What committing does, and what it refuses. */
export const committed: readonly Behaviour[] = [
  {
    id: "key-gone-after-commit",
    title: "a committed snapshot has its name, and its key is free",
    origin: "C",
    async run({ driver }) {
      const active = await driver.prepare("key");
      await active.commit("name");
      await rejects(driver.stat("key"), "NotFound");
      assert.equal((await driver.stat("name")).kind, "committed");
      await driver.prepare("key");
    },
  },
];
