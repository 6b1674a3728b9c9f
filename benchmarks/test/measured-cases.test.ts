import { Scratch } from "@strata/conformance/suite";
import { beforeAll, expect, it } from "vitest";
import { costOfDurability, criteriaOf } from "../src/advice/criteria.ts";
import { chaptersOf } from "../src/report/plots/chapters.ts";
import type { Results } from "../src/results/schema.ts";
import {
  type Case,
  type Operation,
  type Parameters,
  type WorkloadName,
  workloadNames,
} from "../src/workload.ts";
import { loadWorkload } from "../src/workloads/index.ts";
import { type MadeCase, madeResults, vfs } from "./support/made-results.ts";
import { driverSubject, WorkloadTrial } from "./support/workload-trial.ts";

/** Of all cases that there are, with the names of parameters and operations that workloads really have. */
let results: Results;

beforeAll(async () => {
  await using scratch = new Scratch();
  const cases: MadeCase[] = [];
  for (const name of workloadNames) cases.push(...(await casesOf(name, scratch.path)));
  results = madeResults({ subjects: [vfs] }, cases);
});

it("are what the advice chooses by", () => {
  expect(criteriaOf(results).map(({ words }) => words)).toEqual([
    expect.stringMatching(/^applying .* files$/),
    expect.stringMatching(/^applying .* files durably$/),
    expect.stringMatching(/^loading an image of .* files$/),
    expect.stringMatching(/^making a container on 80,000 files ready$/),
    expect.stringMatching(/^the first write to a file of 1 GiB$/),
    expect.stringMatching(/^listing the changes in 80,000 files$/),
  ]);
  expect([...costOfDurability(results).keys()]).toEqual(["vfs"]);
});

it("are plotted against threads, and against what they vary in", () => {
  const titles = chaptersOf(results).flatMap(({ name, trends }) =>
    trends.map(({ title }) => `${name}: ${title}`),
  );
  expect(titles).toEqual(
    expect.arrayContaining([
      "apply: apply: throughput by threads",
      "hashing: hash: throughput by threads",
      "lifecycle: prepare: throughput by threads",
      "read: read small files: throughput by threads",
      "lifecycle: mount: time by depth",
      "lifecycle: prepare: time by snapshots",
      "lifecycle: prepare: time by parent files",
      "lifecycle: remove: time by written files",
      "read: first open: time by depth",
      "copy-up: first byte: time by file size",
      "copy-up: first byte: written to disk by file size",
      "changes: changes: time by files",
      "changes: changes: time by changes",
    ]),
  );
});

/** Each operation of each case of a workload, as if it had been measured. */
async function casesOf(name: WorkloadName, directory: string): Promise<MadeCase[]> {
  const workload = await loadWorkload(name);
  const subject = await driverSubject("vfs", directory);
  const operations = new Map<string, readonly Operation[]>();
  const operationsOf = async ({ parameters, threads }: Case): Promise<readonly Operation[]> => {
    const key = Object.keys(parameters).sort().join();
    const known = operations.get(key);
    if (known !== undefined) return known;
    await using run = new WorkloadTrial(workload, subject, inSmall(parameters), { threads });
    await run.setUp();
    const trial = await run.open();
    operations.set(key, trial.operations);
    return trial.operations;
  };
  const cases: MadeCase[] = [];
  // Of whole commands, one is enough: there is none to run here.
  const wanted = ({ parameters: { does = "load" } }: Case) => does === "load";
  const all = workload.cases({ scale: "full", subjects: [subject], threads: [1, 2] }).filter(wanted);
  for (const measured of all) {
    const { title, parameters, threads } = measured;
    for (const { name: operation, work, countsWrites } of await operationsOf(measured)) {
      cases.push({
        ...{ workload: name, title, parameters: { ...parameters }, threads, operation },
        ...(work?.bytes !== undefined && { workBytes: work.bytes }),
        ...(work?.files !== undefined && { workFiles: work.files }),
        ...(countsWrites && { writtenBytes: { vfs: 4096 } }),
        milliseconds: { vfs: 1 },
      });
    }
  }
  return cases;
}

/** The same case, made in no time. */
function inSmall(parameters: Parameters): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value === "number" ? Math.min(value, 20) : value,
    ]),
  );
}
