import { join } from "node:path";
import { missingFacilities } from "@strata/conformance/suite";
import type { LayerLayout } from "@strata/core";
import { changes as changesOf, diff } from "@strata/layer";
import { describe, expect, it } from "vitest";
import { changes } from "../src/workloads/changes.ts";
import { describeEachDriver, useScratch } from "./support/each-driver.ts";
import { driverSubject, peerSubject, WorkloadTrial } from "./support/workload-trial.ts";

/** What an archive ends with. */
const endBytes = 1024;

const scratch = useScratch();

describeEachDriver("changes of", (name, itIfPossible) => {
  const start = async (parameters: Record<string, number>) =>
    new WorkloadTrial(changes, await driverSubject(name, scratch.path), parameters);

  itIfPossible("are as many as the case asks for, of all kinds", async () => {
    await using run = await start({ files: 200, changes: 9 });
    await run.setUp();
    expect(await kindsOf(await layoutOf(run))).toEqual({ added: 3, modified: 3, deleted: 3 });
  });

  itIfPossible("are none, where the case asks for none", async () => {
    await using run = await start({ files: 50, changes: 0 });
    await run.setUp();
    expect(await kindsOf(await layoutOf(run))).toEqual({ added: 0, modified: 0, deleted: 0 });
    const trial = await run.open();
    expect(trial.operations.map(({ work }) => work?.bytes)).toEqual([undefined, endBytes]);
  });

  itIfPossible("are found again in each round, and the archive has the size that is told", async () => {
    await using run = await start({ files: 100, changes: 6 });
    await run.setUp();
    const trial = await run.open();
    const layout = await layoutOf(run);
    let bytes = 0;
    for await (const chunk of diff(layout)) bytes += chunk.length;
    let changed = 0;
    for await (const _ of changesOf(layout)) changed += 1;
    expect(bytes).toBeGreaterThan(endBytes);
    for (let round = 0; round < 2; round++) {
      const results = await Promise.all(trial.operations.map((operation) => operation.run()));
      expect(results).toEqual([changed, bytes]);
    }
    expect(trial.operations.map(({ name, work }) => [name, work?.bytes])).toEqual([
      ["changes", undefined],
      ["diff", bytes],
    ]);
  });
});

describe("changes beside find", () => {
  const missing = missingFacilities(["find"]);
  it.skipIf(missing.length > 0 && !process.env["CI"])("are the same, in the same tree", async () => {
    const parameters = { files: 200, changes: 9 };
    await using driver = new WorkloadTrial(changes, await driverSubject("vfs", scratch.path), parameters);
    await using find = new WorkloadTrial(changes, peerSubject("find", scratch.path), parameters);
    for (const run of [driver, find]) await run.setUp();
    const { directory } = find.context;
    const dir = join(directory, "changed");
    const base = join(directory, "original");
    const expected = await pathsOf(await layoutOf(driver));
    expect(await pathsOf({ format: "plain", dir, base })).toEqual(expected);
    const trial = await find.open();
    await find.round(trial);
    expect(trial.operations.map(({ name }) => name)).toEqual(["changes"]);
  });
});

describe("the cases of changes", () => {
  it("change no more than a part of the tree", async () => {
    const subjects = [await driverSubject("vfs", scratch.path)];
    const cases = changes.cases({ scale: "full", subjects, threads: [1] });
    expect(cases.map(({ parameters }) => Object.values(parameters))).toEqual([
      [1000, 0],
      [1000, 10],
      [10_000, 0],
      [10_000, 10],
      [10_000, 1000],
      [80_000, 0],
      [80_000, 10],
      [80_000, 1000],
    ]);
  });
});

async function layoutOf(run: WorkloadTrial): Promise<LayerLayout> {
  await using driver = await run.driver();
  return (await driver.open("changed")).layout();
}

async function pathsOf(layout: LayerLayout): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path, kind } of changesOf(layout)) paths.push(`${kind} ${path}`);
  return paths;
}

/** Without the directories above. */
async function kindsOf(layout: LayerLayout): Promise<Record<string, number>> {
  const all: { path: string; kind: string }[] = [];
  for await (const { path, kind } of changesOf(layout)) all.push({ path: path.toString(), kind });
  const counts: Record<string, number> = { added: 0, modified: 0, deleted: 0 };
  for (const { path, kind } of all) {
    const isAbove = all.some((other) => other.path.startsWith(`${path}/`)) || path === "";
    if (!isAbove) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
