import assert from "node:assert/strict";
import { once } from "node:events";
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
        await swapper.start();
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
  readonly #thread: Worker;
  /** What it failed for, if it did. */
  readonly #ended: Promise<unknown>;

  constructor(path: string, target: string) {
    const order: SwapOrder = { path, target, state: this.#state };
    const module = new URL("./swap-thread.js", import.meta.url);
    this.#thread = new Worker(module, { workerData: order, execArgv: [] });
    this.#ended = new Promise((resolve) => {
      this.#thread.once("error", resolve);
      this.#thread.once("exit", () => resolve(undefined));
    });
  }

  /** Start: from when this returns, it waits for the directory. */
  async start(): Promise<void> {
    await once(this.#thread, "message");
  }

  get swaps(): number {
    return Atomics.load(this.#state, 0);
  }

  async stop(): Promise<void> {
    Atomics.store(this.#state, 1, 1);
    const error = await this.#ended;
    if (error !== undefined) throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
