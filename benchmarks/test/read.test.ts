import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { read } from "../src/workloads/read.ts";
import { describeEachDriver, useScratch } from "./support/each-driver.ts";
import { driverSubject, WorkloadTrial } from "./support/workload-trial.ts";

const files = 40;
const largeBytes = 3_000_000;

const scratch = useScratch();

describeEachDriver("reading through", (name, itIfPossible) => {
  const start = async (parameters: Record<string, number>, threads = 1) => {
    const subject = await driverSubject(name, scratch.path);
    return new WorkloadTrial(read, subject, { files, largeBytes, ...parameters }, { threads });
  };

  itIfPossible("goes through as many layers as the case asks for, each with its part", async () => {
    await using run = await start({ depth: 4 });
    await run.setUp();
    const layers = await layersOf(run);
    const own = name === "vfs" ? [10, 20, 30, 41] : [10, 10, 10, 11];
    expect(layers.map((layer) => filesIn(layer).length)).toEqual(own);
    expect(statSync(join(layers.at(-1) ?? "", "large")).size).toBe(largeBytes);
  });

  itIfPossible("reads what is there, in each round", async () => {
    await using run = await start({ depth: 3 });
    await run.setUp();
    const trial = await run.open();
    const tree = await viewOf(run, "view-0");
    const paths = filesIn(tree).filter((path) => path !== "large");
    const bytes = paths.reduce((sum, path) => sum + statSync(join(tree, path)).size, 0);
    const entries = readdirSync(tree, { recursive: true }).length;
    expect(trial.operations.map(({ name, work }) => [name, work])).toEqual([
      ["first open", undefined],
      ["read small files", { files, bytes }],
      ["stat tree", { files: entries }],
      ["read large file", { bytes: largeBytes }],
    ]);
    await run.round(trial);
    await run.round(trial);
    expect(await viewOf(run, "view-0")).toBe(tree);
  });

  itIfPossible("notices when a file is not there", async () => {
    await using run = await start({ depth: 2 });
    await run.setUp();
    const [lowest = ""] = await layersOf(run);
    const [top = ""] = (await layersOf(run)).slice(-1);
    for (const layer of [lowest, top]) rmSync(join(layer, "srv"), { recursive: true, force: true });
    rmSync(join(top, "large"));
    const trial = await run.open();
    for (const operation of trial.operations.filter(({ name }) => name !== "stat tree")) {
      await operation.before?.();
      expect(() => operation.run()).toThrow("ENOENT");
    }
  });

  itIfPossible("in several threads: each has a view of its own", async () => {
    await using run = await start({ depth: 2, threads: 2 }, 2);
    await run.setUp();
    const trials = [await run.open(0), await run.open(1)];
    const views = [await viewOf(run, "view-0"), await viewOf(run, "view-1")];
    expect(new Set(views).size).toBe(2);
    for (const trial of trials) {
      expect(trial.operations.map(({ name }) => name)).toEqual(["read small files"]);
      await run.round(trial);
    }
  });
});

describe("the cases of reading", () => {
  it("leave out a long chain where each layer is a copy of all", async () => {
    const subject = await driverSubject("vfs", scratch.path);
    const sharesParent = { supported: true, reason: "as the test wants it" };
    const sharing = { ...subject, id: "sharing", capabilities: { ...subject.capabilities, sharesParent } };
    const copying = {
      ...subject,
      capabilities: { ...subject.capabilities, sharesParent: { supported: false, reason: "the same" } },
    };
    const cases = read.cases({ scale: "standard", subjects: [copying, sharing], threads: [1, 2] });
    expect(
      cases.map(({ parameters: { depth, threads }, subjects }) => [
        threads === undefined ? depth : `${depth}, ${threads} threads`,
        subjects.map(({ id }) => id),
      ]),
    ).toEqual([
      [1, ["vfs", "sharing"]],
      [10, ["vfs", "sharing"]],
      [50, ["sharing"]],
      [100, ["sharing"]],
      ["10, 2 threads", ["vfs", "sharing"]],
    ]);
  });
});

/** Where the layers lie on the host, the lowest first. */
async function layersOf(run: WorkloadTrial): Promise<string[]> {
  await using driver = await run.driver();
  const layers: string[] = [];
  for (let id: string | undefined = "top"; id !== undefined; ) {
    const snapshot = await driver.open(id);
    layers.unshift(snapshot.layout().dir);
    id = snapshot.parent;
  }
  return layers;
}

async function viewOf(run: WorkloadTrial, key: string): Promise<string> {
  await using driver = await run.driver();
  const view = await driver.open(key);
  return (view.kind === "view" ? await view.mountedAt() : undefined) ?? "not mounted";
}

function filesIn(tree: string): string[] {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1));
}
