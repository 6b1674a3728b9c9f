import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Behaviour, Need } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { DriverProcess } from "../../host/driver-process.ts";
import type { Trial } from "../../trial.ts";
import { assertSound, fewFiles, hasFewFiles, oneDone, outcomes, times } from "./racing.ts";

const needs: readonly Need[] = ["state on disk", "processes"];

/** What several processes do to one root at the same time. */
export const processes: readonly Behaviour[] = [
  {
    id: "same-key-race-processes",
    title: "of several processes that prepare one key at once, one wins",
    origin: "N",
    needs,
    async run(trial) {
      await using children = await startProcesses(trial, 3);
      for (let round = 0; round < 10; round += 1) {
        const calls = children.map((process) => process.do(["prepare", `key-${round}`]));
        oneDone(await outcomes(calls), "AlreadyExists");
      }
      await assertSound(trial, ...times(10, (round) => `key-${round}`));
    },
  },
  {
    id: "same-name-commit-race-processes",
    title: "of several processes that commit to one name at once, one wins, and its content is there",
    origin: "N",
    needs,
    async run(trial) {
      await using children = await startProcesses(trial, 3);
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(
          children.map(async (process, n) => {
            await process.do(["prepare", `key-${n}`]);
            await process.do(["write", `key-${n}`, "by", `key-${n}`]);
          }),
        );
        const calls = children.map((process, n) => process.do(["commit", `key-${n}`, `name-${round}`]));
        const codes = await outcomes(calls);
        oneDone(codes, "AlreadyExists");
        const winner = codes.indexOf("done");
        await trial.look(`name-${round}`, (at) =>
          assert.equal(readFileSync(join(at, "by"), "utf8"), `key-${winner}`),
        );
        for (const n of [0, 1, 2]) if (n !== winner) await trial.driver.remove(`key-${n}`);
      }
      await assertSound(trial, ...times(5, (round) => `name-${round}`));
    },
  },
  {
    id: "remove-vs-prepare-processes",
    title: "of a process that removes a parent and one that prepares on it at once, one wins",
    origin: "N",
    needs,
    async run(trial) {
      await using children = await startProcesses(trial, 2);
      const [remover, maker] = children;
      assert(remover && maker);
      for (let round = 0; round < 10; round += 1) {
        await trial.commit("base");
        const calls = [remover.do(["remove", "base"]), maker.do(["prepare", "child", "base"])];
        const outcome = (await outcomes(calls)).join(" ");
        assert.match(outcome, /^(done NotFound|FailedPrecondition done)$/);
        if (outcome.endsWith("done")) {
          await trial.driver.remove("child");
          await trial.driver.remove("base");
        }
        await assertSound(trial);
      }
    },
  },
  {
    id: "gc-vs-prepare-processes",
    title: "cleanup in one process leaves alone what another is making",
    origin: "N",
    needs,
    async run(trial) {
      await trial.commit("base", fewFiles);
      await using children = await startProcesses(trial, 2);
      const [maker, cleaner] = children;
      assert(maker && cleaner);
      let making = true;
      const make = async () => {
        for (let n = 0; n < 30; n += 1) await maker.do(["prepare", `child-${n}`, "base"]);
      };
      const clean = async () => {
        while (making) assert.equal((await cleaner.do(["cleanup"])).removed, 0);
      };
      const made = make().finally(() => {
        making = false;
      });
      await Promise.all([made, clean()]);
      for (const child of times(30, (n) => `child-${n}`)) await trial.look(child, hasFewFiles);
      await assertSound(trial, "base", ...times(30, (n) => `child-${n}`));
    },
  },
  {
    id: "mounts-counted-across-processes",
    title: "a tree stays mounted until the last process has closed its mount of it",
    origin: "N",
    needs,
    async run(trial) {
      await trial.edit(await trial.driver.prepare("key"), fewFiles);
      await using children = await startProcesses(trial, 2);
      const [first, second] = children;
      assert(first && second);
      const path = await first.do(["mount", "key"]);
      assert.equal(await second.do(["mount", "key"]), path);
      await first.do(["closeMount", "key"]);
      hasFewFiles(path);
      await rejects(trial.driver.remove("key"), "Busy");
      // A claim of the dead does not count.
      await second.kill();
      await trial.driver.remove("key");
      await assertSound(trial);
    },
  },
  {
    id: "two-processes",
    title: "two processes that do everything on one root do not get into each other's way",
    origin: "N",
    needs,
    async run(trial) {
      await trial.commit("base", fewFiles);
      await using children = await startProcesses(trial, 2);
      await Promise.all(
        children.map(async (process, n) => {
          for (let round = 0; round < 10; round += 1) {
            const [key, name] = [`key-${n}`, `name-${n}-${round}`];
            await process.do(["prepare", key, "base"]);
            await process.do(["write", key, "file", name]);
            await process.do(["commit", key, name]);
            await process.do(["view", key, name]);
            assert.equal(await process.do(["read", key, "file"]), name);
            await process.do(["remove", key]);
            if (round % 2 === 0) await process.do(["remove", name]);
            await process.do(["cleanup"]);
          }
        }),
      );
      const kept = [0, 1].flatMap((n) => [1, 3, 5, 7, 9].map((round) => `name-${n}-${round}`));
      for (const name of kept) {
        await trial.look(name, (at) => assert.equal(readFileSync(join(at, "file"), "utf8"), name));
      }
      await assertSound(trial, "base", ...kept);
    },
  },
];

/** Some processes with a driver each on the trial's root; killed at the end. */
async function startProcesses(trial: Trial, count: number): Promise<DriverProcess[] & AsyncDisposable> {
  const starts = await Promise.allSettled(times(count, () => DriverProcess.start(trial)));
  const processes = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const end = async () => {
    for (const each of processes) await each[Symbol.asyncDispose]();
  };
  const failed = starts.find((start) => start.status === "rejected");
  if (failed !== undefined) {
    await end();
    throw failed.reason;
  }
  return Object.assign(processes, { [Symbol.asyncDispose]: end });
}
