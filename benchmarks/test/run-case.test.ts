import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { missingFacilities } from "@strata/conformance/suite";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Case } from "../dist/workload.js";
import { Probe } from "./support/probe.ts";

let probe: Probe;

beforeEach(() => {
  probe = new Probe();
});

afterEach(async () => {
  expect(readdirSync(probe.directory)).toEqual([]);
  await probe[Symbol.asyncDispose]();
});

describe("a case", () => {
  it("gives every subject a turn in each round, and begins each round with another one", async () => {
    const turns: (readonly [string, number | undefined])[] = [];
    const measured = probe.case({}, { rounds: 3, warmup: true });
    const { failures } = await probe.run(measured, {
      onTurn: ({ subject, round }) => turns.push([subject.id, round]),
    });
    expect(failures).toEqual([]);
    const ready = ["a", "b", "c"].map((id) => [id, undefined]);
    const round = (number: number, order: string) => [...order].map((id) => [id, number]);
    const rounds = [round(-1, "abc"), round(0, "abc"), round(1, "bca"), round(2, "cab")];
    expect(turns).toEqual([...ready, ...rounds.flat()]);
    expect(
      probe.notes.filter((note) => note.endsWith(" one")).filter((note) => !/before|after/.test(note)),
    ).toEqual([..."abcabcbcacab"].map((id) => `${id}0 one`));
  });

  it("does each operation in each thread as often as it says, and has a sample of each", async () => {
    const { measurements } = await probe.run(
      probe.case({}, { threads: 2, iterations: 3, rounds: 4, warmup: true }),
    );
    expect(measurements.map(({ subject, operation }) => `${subject} ${operation}`)).toEqual(
      ["a", "b", "c"].flatMap((id) => [`${id} one`, `${id} two`]),
    );
    for (const { rounds, statistics, threads, workBytes, disturbances } of measurements) {
      expect(rounds.map(({ samplesMilliseconds }) => samplesMilliseconds.length)).toEqual([6, 6, 6, 6]);
      expect(rounds.every(({ wallMilliseconds }) => wallMilliseconds > 0)).toBe(true);
      expect(statistics.samples).toBe(24);
      expect({ threads, workBytes }).toEqual({ threads: 2, workBytes: 10 });
      expect(disturbances).toBeInstanceOf(Array);
    }
    // Four rounds, and the one that does not count.
    for (const thread of ["a0", "a1"]) {
      const notes = probe.notes.filter((note) => note.startsWith(thread)).slice(thread === "a0" ? 1 : 0);
      const thrice = (name: string) =>
        Array(3)
          .fill([`before ${name}`, name, `after ${name}`])
          .flat();
      const turn = [...thrice("one"), ...thrice("two")];
      const expected = ["open", ...Array(5).fill(turn).flat(), "close, there"];
      expect(notes).toEqual(expected.map((note) => `${thread} ${note}`));
    }
  });

  it("is set up once for all threads of a subject, before any of them opens it", async () => {
    await probe.run(probe.case({}, { threads: 3 }));
    const begin = probe.notes.filter((note) => /set up|open/.test(note));
    expect(begin).toEqual(
      ["a", "b", "c"].flatMap((id) => [`${id}0 set up`, ...[0, 1, 2].map((n) => `${id}${n} open`)]),
    );
  });

  it("takes one round when its time is over, and no further one", async () => {
    const { measurements } = await probe.run(probe.case({}, { rounds: 5, warmup: true }), { deadline: 0 });
    expect(measurements.map(({ rounds }) => rounds.length)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  const missing = missingFacilities(["root", "fincore"]);
  it.skipIf(missing.length > 0)(
    `with a cold cache reads from disk (needs ${missing.join() || "nothing more"})`,
    async () => {
      // Not below /tmp, which may be memory.
      await using onDisk = new Probe("/var/tmp");
      const file = `${onDisk.directory}/file`;
      writeFileSync(file, Buffer.alloc(1 << 20, 1));
      const parameters = { file, before: "readFile", at: "one", act: "residentPages", of: "a" };
      const measured = onDisk.case(parameters, { iterations: 2 });
      await onDisk.run(measured);
      const pages = () => onDisk.notes.flatMap((note) => / (\d+) pages$/.exec(note)?.[1] ?? []);
      expect(pages()).toEqual(["256", "256"]);
      const { measurements } = await onDisk.run(measured, { cold: true });
      // Although the operation's `before` has read the file.
      expect(pages()).toEqual(["256", "256", "0"]);
      expect(measurements[0]?.statistics.samples).toBe(1);
      expect(onDisk.notes.filter((note) => note === "a0 before one")).toHaveLength(3);
    },
  );
});

describe("a subject that fails", () => {
  it.each(["set up", "open", "before one", "one", "after one", "two"])("in %j ends alone", async (at) => {
    const measured = probe.case({ at, act: "fail", of: "b" }, { threads: 2, rounds: 2 });
    const { measurements, failures } = await probe.run(measured);
    expect(failures).toMatchObject([{ title: "probe", subject: "b", message: "as the test wants it" }]);
    expect(new Set(measurements.map(({ subject }) => subject))).toEqual(new Set(["a", "c"]));
    for (const { rounds } of measurements) expect(rounds).toHaveLength(2);
  });

  it("in closing has been measured all the same", async () => {
    const { measurements, failures } = await probe.run(
      probe.case({ at: "close, there", act: "fail", of: "b" }),
    );
    expect(failures).toMatchObject([{ subject: "b", message: "as the test wants it" }]);
    expect(measurements).toHaveLength(6);
  });

  it.each([
    ["exit", "the thread that measured ended (exit code 3)"],
    ["dieLater", "later, while nothing is asked"],
  ])("with its thread, by %s, ends alone", async (act, message) => {
    const measured = probe.case({ at: "two", act, of: "b" }, { threads: 2, rounds: 3 });
    const { measurements, failures } = await probe.run(measured);
    expect(failures).toMatchObject([{ subject: "b", message }]);
    expect(measurements).toHaveLength(4);
  });

  it("is told of, whichever else fails", async () => {
    const { measurements, failures } = await probe.run(probe.case({ at: "one", act: "fail" }));
    expect(measurements).toEqual([]);
    expect(failures.map(({ subject }) => subject)).toEqual(["a", "b", "c"]);
  });
});

describe("a signal", () => {
  const reason = new Error("enough");

  /** Abort as soon as subject b does what is asked for. */
  async function abortIn(at: string, act: string, changes: Partial<Case> = {}): Promise<void> {
    const abort = new AbortController();
    const timer = setInterval(() => {
      if (probe.notes.includes(`b0 ${at}`)) abort.abort(reason);
    }, 20);
    onTestFinished(() => clearInterval(timer));
    const measured = probe.case({ at, act, of: "b" }, { threads: 2, ...changes });
    await expect(probe.run(measured, { signal: abort.signal })).rejects.toBe(reason);
  }

  it.each(["set up", "open", "before one", "one"])("ends %j, and closes what is open", async (at) => {
    await abortIn(at, "wait");
    expect(probe.notes).toContain("a0 close, there");
    expect(probe.notes.filter((note) => note.startsWith("c") && note.endsWith(" one"))).toEqual([]);
  });

  it("ends an operation between two of its many iterations, none of which waits for anything", async () => {
    const subjects = probe.case({}).subjects.filter(({ id }) => id === "b");
    await abortIn("one", "spin", { iterations: 1_000_000, subjects });
    expect(probe.notes).toContain("b1 close, there");
  });

  it("ends a program that an operation runs", async () => {
    await abortIn("one", "command");
    expect(spawnSync("pgrep", ["--parent", `${process.pid}`, "--exact", "sleep"]).status).toBe(1);
    expect(probe.notes).toContain("b0 close, there");
  });

  it("does not wait forever for an operation that will not end", async () => {
    await abortIn("one", "ignoreAbort");
    expect(probe.notes).not.toContain("b0 close, there");
  });

  it("that has come before begins nothing", async () => {
    await expect(probe.run(probe.case({}), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(probe.notes).toEqual([]);
  });
});
