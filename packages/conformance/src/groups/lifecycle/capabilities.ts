import assert from "node:assert/strict";
import type { Behaviour } from "../../behaviour.ts";

/** What a driver says that it can do. That it is true is proven where it matters, each way. */
export const capabilities: readonly Behaviour[] = [
  {
    id: "capabilities-restated",
    title: "the driver's capabilities are those that its test says it has",
    origin: "N",
    async run({ driver, under }) {
      const found = Object.entries({ ...driver.capabilities }).map(([name, value]) => [
        name,
        typeof value === "number" ? value : value.supported,
      ]);
      assert.deepEqual(Object.fromEntries(found), under.supports);
    },
  },
  {
    id: "capabilities-explained",
    title: "each capability has its reason in words, and the longest chain is long enough for an image",
    origin: "N",
    async run({ driver }) {
      const { maxDepth, ...rest } = driver.capabilities;
      for (const [name, { reason }] of Object.entries(rest)) {
        assert.match(reason, /\w{2,}.*\w/, `the reason of ${name} says nothing: "${reason}"`);
      }
      assert(maxDepth >= 128, `an image can have 127 layers and a container on top, not ${maxDepth}`);
    },
  },
  {
    id: "capabilities-constant",
    title: "the capabilities of a driver opened again are the same",
    origin: "N",
    async run(trial) {
      assert.deepEqual((await trial.reopen()).capabilities, trial.driver.capabilities);
    },
  },
];
