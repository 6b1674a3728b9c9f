import assert from "node:assert/strict";
import type { Behaviour } from "../../behaviour.ts";
import { describeFailure, randomOperations } from "../../model/random-operations.ts";

/** Fixed, so that a driver is always held to the same operations. */
const seed = 20_260_421;

export const modelBased: readonly Behaviour[] = [
  {
    id: "model-based-random-operations",
    title: "is what a model says after each of some hundred random operations",
    origin: "N",
    async run(trial) {
      const directory = trial.directory("roots");
      const { steps, failure } = await randomOperations([{ ...trial.under, directory }], { runs: 8, seed });
      if (failure !== undefined) {
        throw new assert.AssertionError({
          message: describeFailure(failure, `the suite draws the same operations each time (seed ${seed})`),
        });
      }
      assert(steps > 200, `only ${steps} operations were done`);
    },
  },
];
