import { writeFileSync } from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { compareLines } from "../src/compare/compare-lines.ts";
import { compareResults } from "../src/compare/compare-results.ts";
import { readResults } from "../src/compare/read-results.ts";
import { allCases, type MadeCase, madeResults } from "./support/made-results.ts";

const stat: MadeCase = {
  workload: "lifecycle",
  title: "on a chain of 1",
  parameters: { depth: 1 },
  operation: "stat",
  milliseconds: { overlay2: 1, vfs: 2 },
};
const run = (cases: readonly MadeCase[], seed: number) => madeResults({}, [...cases], seed);
const times = (factor: number): MadeCase => ({ ...stat, milliseconds: { overlay2: factor, vfs: 2 } });

describe("a comparison", () => {
  it("finds what is slower, and by how much", () => {
    const [slower, same] = compareResults(run([stat], 1), run([times(1.3)], 2)).pairs;
    expect(slower).toMatchObject({ a: { subject: "overlay2" }, verdict: "slower" });
    expect(slower?.ratio.value).toBeCloseTo(1.3, 1);
    expect(slower?.ratio.from).toBeGreaterThan(1.2);
    expect(slower?.ratio.to).toBeLessThan(1.4);
    expect(same).toMatchObject({ a: { subject: "vfs" }, verdict: "no difference to be seen" });
  });

  it("finds what is faster", () => {
    const { pairs } = compareResults(run([stat], 1), run([times(0.7)], 2));
    expect(pairs.map(({ verdict }) => verdict)).toEqual(["no difference to be seen", "faster"]);
  });

  it("says nothing of two runs that differ by chance only", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { pairs } = compareResults(run(allCases(), seed), run(allCases(), seed + 100));
      expect(pairs.length).toBeGreaterThan(80);
      expect(pairs.filter(({ verdict }) => verdict !== "no difference to be seen")).toEqual([]);
    }
  });

  it("takes rounds that differ among themselves for noise, however many samples they have", () => {
    const [a, b] = [run([{ ...stat, samples: 200 }], 1), run([{ ...stat, samples: 200 }], 2)];
    // Each round of b meets the host in another state: 10 % up, 10 % down, 30 % up.
    for (const { rounds } of b.measurements) {
      for (const [index, round] of rounds.entries()) {
        const state = [1.1, 0.9, 1.3, 1.15][index] ?? 1;
        round.samplesMilliseconds = round.samplesMilliseconds.map((sample) => sample * state);
      }
    }
    const { pairs } = compareResults(a, b);
    expect(pairs.map(({ verdict }) => verdict)).toEqual([
      "no difference to be seen",
      "no difference to be seen",
    ]);
    expect(pairs[0]?.ratio.value).toBeGreaterThan(1.08);
  });

  it("cannot tell where something was measured once", () => {
    const once = { ...times(3), rounds: 1, samples: 1 };
    const { pairs } = compareResults(run([stat], 1), run([once], 2));
    expect(pairs.map(({ verdict }) => verdict)).toEqual(["not to be told", "not to be told"]);
    expect(pairs[0]?.ratio.from).toBeUndefined();
  });

  it("takes samples where there is one round only", () => {
    const one = (made: MadeCase) => ({ ...made, rounds: 1, samples: 20 });
    const { pairs } = compareResults(run([one(stat)], 1), run([one(times(1.5))], 2));
    expect(pairs[0]).toMatchObject({ a: { subject: "overlay2" }, verdict: "slower" });
  });

  it("puts the worst first", () => {
    const cases = (factors: readonly number[]) =>
      factors.map((factor, index) => ({ ...times(factor), title: `case ${index}`, parameters: { index } }));
    const { pairs } = compareResults(run(cases([1, 1, 1]), 1), run(cases([1.5, 4, 2]), 2));
    expect(pairs.filter(({ verdict }) => verdict === "slower").map(({ a }) => a.title)).toEqual([
      "case 1",
      "case 2",
      "case 0",
    ]);
  });

  it("tells cases apart by their parameters, in any order", () => {
    const first = { ...stat, parameters: { depth: 1, files: 2 } };
    const second = { ...stat, parameters: { files: 2, depth: 1 } };
    const other = { ...stat, parameters: { files: 3, depth: 1 } };
    expect(compareResults(run([first], 1), run([second], 2)).pairs).toHaveLength(2);
    const { pairs, onlyInA, onlyInB } = compareResults(run([first], 1), run([other], 2));
    expect([pairs.length, onlyInA.length, onlyInB.length]).toEqual([0, 2, 2]);
  });
});

describe("a comparison as text", () => {
  it("has what the runs differ in, each difference with its interval, and what only one has", () => {
    const { host, options } = madeResults();
    const only: MadeCase = {
      ...stat,
      workload: "store",
      operation: "gc",
      title: "collect",
      milliseconds: { vfs: 1 },
    };
    const b = madeResults(
      { host: { ...host, kernel: "6.1.0" }, options: { ...options, cache: "cold" } },
      [times(2), only],
      2,
    );
    const text = compareLines(compareResults(run([stat], 1), b)).join("\n");
    expect(text).toMatch(/^a: build-7, Linux 6\.18\.1, strata 0\.1\.0 \(0123456\), 2026/m);
    expect(text).toContain("kernel: 6.18.1 → 6.1.0");
    expect(text).toContain("page cache: warm → cold");
    expect(text).toMatch(
      /Slower in b, worst first\n.*\n +[12]\.\d+× +1\.\d+× to 2\.\d+× .* overlay2, stat, on a chain of 1\n/,
    );
    expect(text).toContain("Only in b\n  vfs, store: collect");
    expect(text).toContain(
      "Of 2 that both have, b is slower in 1 and faster in 0; in 1 the difference is within",
    );
  });

  it("says when nothing is in both", () => {
    const other = { ...stat, title: "another" };
    expect(compareLines(compareResults(run([stat], 1), run([other], 2)))).toContain(
      "Nothing was measured in both.",
    );
  });
});

describe("reading results", () => {
  const read = async (text: string) => {
    await using scratch = new Scratch();
    const path = scratch.join("results.json");
    writeFileSync(path, text);
    return await readResults(path);
  };
  const results = madeResults();

  it("gives back what was written, and leaves out what a later version added", async () => {
    expect(await read(JSON.stringify({ ...results, weather: "fine" }))).toEqual(results);
  });

  it("says which version is read, where the file has another", async () => {
    await expect(read(JSON.stringify({ ...results, schemaVersion: 2 }))).rejects.toThrow(
      /results\.json is of schema version 2, and this strata reads version 1; measure again/,
    );
  });

  it("says which field is wrong", async () => {
    const [first, ...others] = results.measurements;
    const wrong = { ...results, measurements: [{ ...first, rounds: "three" }, ...others] };
    await expect(read(JSON.stringify(wrong))).rejects.toThrow(
      /results\.json: measurements\[0\]\.rounds: .*array.*; the file was changed/,
    );
  });

  it("says that something is no such file", async () => {
    await expect(read("{}")).rejects.toThrow(/holds no results of strata bench/);
    await expect(read(JSON.stringify(results).slice(0, 1000))).rejects.toThrow(/results\.json is no JSON/);
    await expect(readResults("/nowhere.json")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
