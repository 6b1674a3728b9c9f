import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { isStrataError } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { dir, file } from "../../tar/entries.ts";
import { rootFootprint } from "../../trees/footprint.ts";
import { Layers } from "../../trees/layers.ts";
import { Victim } from "../../trees/victim.ts";
import type { SwapOrder } from "./swap-thread.ts";

const swapsWanted = 300;

/** A tree that someone changes while a layer is written to it. */
export const swap: readonly Behaviour[] = [
  {
    id: "symlink-swap-during-extract",
    title: "directories that are swapped for symlinks to outside while a layer is written lead nowhere",
    origin: "N",
    async run(trial) {
      // More directories than a writer may keep open, so that each is opened again and again; outside they are there too.
      const names = Array.from({ length: 120 }, (_, index) => `b${index}`);
      const layer = [dir("a"), ...names.map((name) => dir(`a/${name}`))];
      for (let round = 0; round < 10; round++)
        layer.push(...names.map((name) => file(`a/${name}/f${round}`, "x", { mode: 0o777 })));
      await using layers = new Layers(trial);
      const victim = new Victim(trial, names);
      const before = await rootFootprint(trial);
      let swaps = 0;
      let outcomes = "";
      while (swaps < swapsWanted) {
        const active = await layers.prepare();
        await using swapper = new Swapper(`${active.layout().dir}/a`, victim.path);
        try {
          await layers.apply(active, layer);
          outcomes += "+";
        } catch (error) {
          assert(isStrataError(error), `a StrataError, not ${String(error)}`);
          outcomes += "-";
        }
        await swapper.stop();
        swaps += swapper.swaps;
        victim.assertUntouched();
        await layers.removeAll();
      }
      assert.deepEqual(await rootFootprint(trial), before, outcomes);
    },
  },
];

/** A thread that swaps a directory for a symlink, over and over. */
class Swapper implements AsyncDisposable {
  readonly #state = new Int32Array(new SharedArrayBuffer(8));
  readonly #ended: Promise<void>;

  constructor(path: string, target: string) {
    const order: SwapOrder = { path, target, state: this.#state };
    const thread = new Worker(new URL("./swap-thread.js", import.meta.url), {
      workerData: order,
      execArgv: [],
    });
    this.#ended = new Promise((resolve, reject) => {
      thread.once("error", reject);
      thread.once("exit", () => resolve());
    });
  }

  get swaps(): number {
    return Atomics.load(this.#state, 0);
  }

  async stop(): Promise<void> {
    Atomics.store(this.#state, 1, 1);
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
