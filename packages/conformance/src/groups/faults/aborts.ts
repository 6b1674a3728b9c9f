import assert from "node:assert/strict";
import { createWriteStream, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { StorageDriver } from "@strata/core";
import { diff, LayerWorkers } from "@strata/layer";
import type { Behaviour } from "../../behaviour.ts";
import type { Trial } from "../../trial.ts";
import { type Traces, traces } from "./left-behind.ts";

/** 200 small files: a copy that takes a while, and many turns of the event loop. */
function manyFiles(at: string): void {
  for (let n = 0; n < 200; n += 1) {
    if (n % 20 === 0) mkdirSync(join(at, `${n / 20}`));
    writeFileSync(join(at, `${Math.floor(n / 20)}`, `${n}`), `file ${n}`.repeat(500));
  }
}

/** The moments at which an operation is aborted, from its first to long after its end. */
function* moments(): Generator<() => Promise<void>> {
  for (let turns = 0; turns < 8; turns += 1) {
    yield async () => {
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
    };
  }
  for (let ms = 1; ms < 30_000; ms = Math.ceil(ms * 1.5)) yield () => setTimeout(ms).then(() => {});
}

/**
 * Do something again and again, and abort it later each time, until it is done before it is aborted. An abort must
 * reject with the signal's reason.
 * @param afterAbort - looks at what it left behind
 * @returns how often it was cut short
 */
async function abortEverywhere(
  work: (signal: AbortSignal) => Promise<unknown>,
  afterAbort: () => Promise<void>,
): Promise<number> {
  let aborts = 0;
  for (const moment of moments()) {
    const controller = new AbortController();
    const reason = new Error(`abort number ${aborts}`);
    const [outcome] = await Promise.allSettled([
      work(controller.signal),
      moment().then(() => controller.abort(reason)),
    ]);
    if (outcome.status === "fulfilled") return aborts;
    assert.equal(outcome.reason, reason, "it rejects with the signal's reason");
    aborts += 1;
    await afterAbort();
  }
  return assert.fail("it never came to its end");
}

/** Calls that take a signal, by name. Each is given snapshots `base`, committed, and `active`. */
const calls: Readonly<Record<string, (driver: StorageDriver, signal: AbortSignal) => Promise<unknown>>> = {
  prepare: (driver, signal) => driver.prepare("new", "base", { signal }),
  view: (driver, signal) => driver.view("new", "base", { signal }),
  commit: async (driver, signal) => {
    const active = await driver.open("active");
    assert(active.kind === "active");
    return active.commit("new", { signal });
  },
  usage: (driver, signal) => driver.usage("base", { signal }),
  cleanup: (driver, signal) => driver.cleanup({ signal }),
  check: (driver, signal) => driver.check({ signal }),
};

async function unchanged(trial: Trial): Promise<() => Promise<void>> {
  const before = await traces(trial);
  return async () => assert.deepEqual(await traces(trial), before);
}

/** What an abort leaves behind: nothing. */
export const aborts: readonly Behaviour[] = [
  ...Object.entries(calls).map(
    ([name, call]): Behaviour => ({
      id: `aborted-before-${name}`,
      title: `${name} with a signal that is aborted already rejects with its reason and does nothing`,
      origin: "N",
      async run(trial) {
        await trial.commit("base");
        await trial.driver.prepare("active", "base");
        const same = await unchanged(trial);
        const reason = { why: "a test" };
        await assert.rejects(call(trial.driver, AbortSignal.abort(reason)), (error) => error === reason);
        await same();
        await call(trial.driver, new AbortController().signal);
      },
    }),
  ),
  {
    id: "abort-in-mid-prepare",
    title: "prepare aborted at any moment leaves nothing behind, and works the next time",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("base", manyFiles);
      const cut = await abortEverywhere(
        (signal) => driver.prepare("child", "base", { signal }),
        await unchanged(trial),
      );
      // What shares its parent's files may be done at once.
      if (!driver.capabilities.sharesParent.supported) assert(cut > 0, "it was never cut short");
      assert.equal((await driver.stat("child")).kind, "active");
    },
  },
  {
    id: "abort-in-mid-view",
    title: "view aborted at any moment leaves nothing behind, and works the next time",
    origin: "N",
    async run(trial) {
      await trial.commit("base", manyFiles);
      await abortEverywhere(
        (signal) => trial.driver.view("child", "base", { signal }),
        await unchanged(trial),
      );
      assert.equal((await trial.driver.stat("child")).kind, "view");
    },
  },
  {
    id: "abort-in-mid-commit",
    title: "commit aborted at any moment leaves the snapshot active, and works the next time",
    origin: "N",
    needs: ["state on disk"],
    async run(trial) {
      const driver = await trial.reopen({ durability: "commit" });
      const active = await driver.prepare("key");
      await trial.edit(active, manyFiles);
      const cut = await abortEverywhere(
        (signal) => active.commit("name", { signal }),
        async () => {
          assert.equal((await driver.stat("key")).kind, "active");
          assert.deepEqual(await driver.check(), []);
        },
      );
      assert(cut > 0, "it was never cut short");
      assert.equal((await driver.stat("name")).kind, "committed");
    },
  },
  {
    id: "abort-in-mid-apply",
    title: "a layer's apply aborted at any moment leaves nothing when its snapshot is removed",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const tree = trial.directory("tree");
      manyFiles(tree);
      const path = trial.path("layer.tar");
      await pipeline(Readable.from(diff({ format: "plain", dir: tree })), createWriteStream(path));
      const ignoreOwnership = !driver.capabilities.ownership.supported;
      await using workers = new LayerWorkers({ threads: 1 });
      const apply = async (signal: AbortSignal) => {
        const active = await driver.prepare("key");
        try {
          await workers.apply({ source: { path }, layout: active.layout(), ignoreOwnership, signal });
        } catch (error) {
          await driver.remove("key");
          throw error;
        }
      };
      // The first starts the thread, whose descriptors stay.
      await apply(new AbortController().signal);
      await driver.remove("key");
      const cut = await abortEverywhere(apply, await unchanged(trial));
      assert(cut > 0, "it was never cut short");
      await trial.look("key", (at) => assert.equal(readdirSync(at).length, 10));
    },
  },
  {
    id: "abort-in-usage",
    title: "usage aborted at any moment changes nothing",
    origin: "N",
    async run(trial) {
      await trial.commit("base", manyFiles);
      await abortEverywhere((signal) => trial.driver.usage("base", { signal }), await unchanged(trial));
    },
  },
  {
    id: "abort-in-check",
    title: "check aborted at any moment changes nothing",
    origin: "N",
    async run(trial) {
      for (let n = 0; n < 30; n += 1) await trial.driver.prepare(`key-${n}`);
      await abortEverywhere((signal) => trial.driver.check({ signal }), await unchanged(trial));
    },
  },
  {
    id: "abort-in-cleanup",
    title: "cleanup aborted at any moment can be done again, and gives back the rest",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      const before: Traces = await traces(trial);
      let made = 0;
      const rubbish = async () => {
        made += 1;
        const active = await driver.prepare(`key-${made}`);
        await trial.edit(active, manyFiles);
        await driver.remove(active.id);
      };
      await rubbish();
      await abortEverywhere((signal) => driver.cleanup({ signal }), rubbish);
      assert.deepEqual(await traces(trial), before);
    },
  },
];
