import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { isStrataError, type StorageDriver, treeUsage } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { DriverProcess } from "../../host/driver-process.ts";
import { randomNumbers } from "../../random-numbers.ts";
import type { Trial } from "../../trial.ts";
import { removeAll, stateOf } from "./state.ts";

const seed = 20_240_818;

/** What killed processes leave behind, and what living ones are making, while others go on. */
export const remains: readonly Behaviour[] = [
  {
    id: "incomplete-removed-at-open",
    title:
      "what killed processes half made is not there for who opens next, and cleanup gives all of it back",
    origin: "S",
    needs: ["processes", "state on disk"],
    async run(trial) {
      await trial.commit("base", manyFiles);
      const { inodes } = await treeUsage(trial.root);
      const random = randomNumbers(seed);
      const durationMs = await prepareMs(trial);
      for (let n = 0; n < 6; n += 1) await killIn(trial, `key-${n}`, random() * durationMs);

      const next = await trial.reopen();
      for (const [id, { kind, files }] of Object.entries(await stateOf(next))) {
        // A plain layout has the whole tree, an overlay only what was changed.
        const { length } = Object.keys(files);
        assert(kind === "committed" || length === 0 || length === fileCount, `${id} has ${length} files`);
        if (kind === "active") await next.remove(id);
      }
      await next.cleanup();
      assert.equal((await treeUsage(trial.root)).inodes, inodes);
      for (let n = 0; n < 6; n += 1) await next.prepare(`key-${n}`, "base");
    },
  },
  {
    id: "stale-temporaries-reaped-live-ones-kept",
    title:
      "cleanup takes what dead processes were making, and leaves what a living one is making, however slow it is",
    origin: "S",
    needs: ["processes", "state on disk"],
    async run(trial) {
      await trial.commit("base", manyFiles);
      const durationMs = await prepareMs(trial);
      const random = randomNumbers(seed);
      for (let n = 0; n < 4; n += 1) {
        await killIn(trial, `dead-${n}`, random() * durationMs);
        await using living = await DriverProcess.start(trial);
        const made = living.do(["prepare", `living-${n}`, "base"]);
        await setTimeout(random() * durationMs);
        signal(living, "SIGSTOP");
        // It may hold the driver's lock for a moment; then cleanup waits for it to go on.
        const cleaned = trial.driver.cleanup();
        await Promise.race([cleaned, setTimeout(100)]);
        signal(living, "SIGCONT");
        await Promise.all([cleaned, made]);
        await trial.look(`living-${n}`, hasManyFiles);
      }
      await trial.driver.cleanup();
      assert.deepEqual(await trial.driver.check(), []);
      await removeAll(trial.driver);
      assert.equal((await treeUsage(trial.root)).inodes, await emptyInodes(trial));
    },
  },
  {
    id: "reader-during-cleanup",
    title: "who lists, opens and reads during a cleanup sees each snapshot whole or not at all",
    origin: "N",
    async run(trial) {
      const { driver } = trial;
      await trial.commit("kept", manyFiles);
      for (let n = 0; n < 4; n += 1) await trial.commit(`doomed-${n}`, manyFiles);
      const view = await driver.view("view", "kept");
      await using mount = await view.mount();
      for (let n = 0; n < 4; n += 1) await driver.remove(`doomed-${n}`);

      const cleaning = { done: false };
      const cleaned = driver.cleanup().finally(() => {
        cleaning.done = true;
      });
      let rounds = 0;
      do {
        rounds += 1;
        await setImmediate(); // A driver that awaits nothing would keep the cleanup from its turn.
        assert.deepEqual(await ids(driver), ["kept", "view"]);
        for (let n = 0; n < 4; n += 1) await assertGone(driver, `doomed-${n}`);
        await trial.look("kept", hasManyFiles);
        hasManyFiles(mount.path);
        await driver.cleanup();
      } while (!cleaning.done || rounds < 3);
      await cleaned;
      assert.deepEqual(await driver.check(), []);
    },
  },
];

const fileCount = 120;

function manyFiles(at: string): void {
  for (let n = 0; n < fileCount; n += 1) {
    mkdirSync(join(at, `${n % 10}`), { recursive: true });
    writeFileSync(join(at, `${n % 10}`, `${n}`), `${n}`.repeat(100));
  }
}

function hasManyFiles(at: string): void {
  for (let n = 0; n < fileCount; n += 1) {
    assert.equal(readFileSync(join(at, `${n % 10}`, `${n}`), "utf8"), `${n}`.repeat(100));
  }
}

/** How long a process takes to prepare a snapshot. */
async function prepareMs(trial: Trial): Promise<number> {
  await using child = await DriverProcess.start(trial);
  const start = performance.now();
  await child.do(["prepare", "rehearsal", "base"]);
  const durationMs = performance.now() - start;
  await child.do(["remove", "rehearsal"]);
  await child.do(["cleanup"]);
  return durationMs;
}

async function killIn(trial: Trial, key: string, afterMs: number): Promise<void> {
  await using child = await DriverProcess.start(trial);
  // It may be done before.
  const made = child.do(["prepare", key, "base"]).catch(() => {});
  await setTimeout(afterMs);
  await child.kill();
  await made;
}

function signal({ pid }: DriverProcess, name: "SIGSTOP" | "SIGCONT"): void {
  assert(pid !== undefined);
  process.kill(pid, name);
}

async function ids(driver: StorageDriver): Promise<string[]> {
  const found: string[] = [];
  // Views that this behaviour itself looks through come and go.
  for await (const { id } of driver.list()) if (!id.startsWith("look.")) found.push(id);
  return found.sort();
}

async function assertGone(driver: StorageDriver, id: string): Promise<void> {
  await assert.rejects(driver.stat(id), (error) => isStrataError(error, "NotFound"));
}

async function emptyInodes(trial: Trial): Promise<number> {
  await using driver = await trial.under.create({ root: trial.path("empty"), durability: "none" });
  return (await treeUsage(driver.root)).inodes;
}
