import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { StorageDriver } from "@strata/core";
import { describe, expect, it } from "vitest";
import { lifecycle } from "../src/workloads/lifecycle.ts";
import { describeEachDriver, useScratch } from "./support/each-driver.ts";
import { driverSubject, peerSubject, WorkloadTrial } from "./support/workload-trial.ts";

const scratch = useScratch();

describeEachDriver("the lifecycle of", (name, itIfPossible) => {
  const start = async (parameters: Record<string, number | string>, changes = {}) =>
    new WorkloadTrial(lifecycle, await driverSubject(name, scratch.path), parameters, changes);

  itIfPossible("is measured on a chain of the depth that the case asks for", async () => {
    await using run = await start({ depth: 4 });
    await run.setUp();
    await using driver = await run.driver();
    const chain: string[] = [];
    for (let id: string | undefined = "parent"; id !== undefined; id = (await driver.stat(id)).parent) {
      chain.push(id);
    }
    expect(chain).toHaveLength(4);
  });

  itIfPossible("is measured in a store of as many snapshots as the case asks for", async () => {
    await using run = await start({ snapshots: 25 });
    await run.setUp();
    await using driver = await run.driver();
    expect(await idsIn(driver)).toHaveLength(25);
  });

  itIfPossible("is what its operations are called, and each round leaves nothing of it", async () => {
    await using run = await start({ snapshots: 5, writtenFiles: 3 });
    await run.setUp();
    await using driver = await run.driver();
    const before = await idsIn(driver);
    const trial = await run.open();
    for (let round = 0; round < 2; round++) {
      const steps = new Map<string, readonly string[]>();
      await run.round(trial, async (operation) => {
        const ids = (await idsIn(driver)).filter((id) => !before.includes(id));
        steps.set(operation, [...ids, `${await mountedIn(driver, ids)} mounted`]);
      });
      const actives = ["active-0-0", "active-0-1"];
      const committed = ["committed-0-0", "committed-0-1"];
      expect(Object.fromEntries(steps)).toEqual({
        prepare: [...actives, "0 mounted"],
        mount: [...actives, "2 mounted"],
        unmount: [...actives, "0 mounted"],
        commit: [...committed, "0 mounted"],
        view: [...committed, "0 mounted"],
        stat: [...committed, "0 mounted"],
        remove: ["0 mounted"],
        cleanup: ["0 mounted"],
      });
      expect(await idsIn(driver)).toEqual(before);
      expect(readdirSync(join(driver.root, "trash"))).toEqual([]);
    }
  });

  itIfPossible("writes into each snapshot what the case asks for", async () => {
    await using run = await start({ writtenFiles: 150 });
    await run.setUp();
    const trial = await run.open();
    await using driver = await run.driver();
    await run.round(trial, async (operation) => {
      if (operation !== "mount") return;
      const active = await driver.open("active-0-1");
      const path = active.kind === "active" ? await active.mountedAt() : undefined;
      const files = readdirSync(path ?? "", { recursive: true, encoding: "utf8" });
      expect(files.filter((file) => /^written-\d+\/\d+$/.test(file))).toHaveLength(150);
    });
  });

  itIfPossible("goes on in several threads on one store", async () => {
    await using run = await start({ threads: 2 }, { threads: 2 });
    await run.setUp();
    const trials = [await run.open(0), await run.open(1)];
    await Promise.all(trials.map((trial) => run.round(trial)));
    await using driver = await run.driver();
    expect((await idsIn(driver)).filter((id) => !/^(parent|other-\d+)$/.test(id))).toEqual([]);
  });

  itIfPossible("leaves nothing when it is aborted while the store is made", async () => {
    const abort = new AbortController();
    await using run = await start({ snapshots: 100_000 }, { signal: abort.signal });
    const making = run.setUp();
    setTimeout(() => abort.abort(new Error("enough")), 100);
    await expect(making).rejects.toThrow("enough");
  });
});

describe("the lifecycle beside cp", () => {
  it("is compared in what a driver that copies does: a tree for each iteration", async () => {
    const parameters = { parentFiles: 30 };
    await using run = new WorkloadTrial(lifecycle, peerSubject("cp", scratch.path), parameters);
    await using vfs = new WorkloadTrial(lifecycle, await driverSubject("vfs", scratch.path), parameters);
    await run.setUp();
    await vfs.setUp();
    const trial = await run.open();
    expect(trial.operations.map(({ name }) => name)).toEqual(["prepare"]);
    await run.round(trial);
    await run.round(trial);
    const { directory } = run.context;
    expect(readdirSync(directory).sort()).toEqual(["source", "target-0", "target-1"]);
    await using driver = await vfs.driver();
    const parent = namesIn((await driver.open("parent")).layout().dir);
    expect(parent.length).toBeGreaterThan(30);
    for (const tree of readdirSync(directory)) expect(namesIn(join(directory, tree))).toEqual(parent);
  });

  it("is so on large parents only", async () => {
    const subjects = [await driverSubject("vfs", scratch.path), peerSubject("cp", scratch.path)];
    const cases = lifecycle.cases({ scale: "full", subjects, threads: [1] });
    const withCp = cases.filter((each) => each.subjects.some(({ id }) => id === "cp"));
    expect(withCp.map(({ parameters }) => parameters)).toEqual([
      { parentFiles: 10_000 },
      { parentFiles: 80_000 },
    ]);
  });
});

describe("the cases of the lifecycle", () => {
  it("leave out who cannot have a chain that deep", async () => {
    const subject = await driverSubject("vfs", scratch.path);
    const { capabilities } = subject;
    const shallow = { ...subject, id: "shallow", capabilities: { ...capabilities, maxDepth: 100 } };
    const cases = lifecycle.cases({ scale: "full", subjects: [subject, shallow], threads: [1] });
    const takesPart = cases
      .filter(({ parameters }) => parameters["depth"] !== undefined)
      .map(({ parameters, subjects }) => [parameters["depth"], subjects.map(({ id }) => id)]);
    expect(takesPart).toEqual([
      [1, ["vfs", "shallow"]],
      [10, ["vfs", "shallow"]],
      [100, ["vfs"]],
      [400, ["vfs"]],
    ]);
  });
});

async function idsIn(driver: StorageDriver): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of driver.list()) ids.push(id);
  return ids.sort();
}

async function mountedIn(driver: StorageDriver, ids: readonly string[]): Promise<number> {
  let count = 0;
  for (const id of ids) {
    const snapshot = await driver.open(id);
    if (snapshot.kind !== "committed" && (await snapshot.mountedAt()) !== undefined) count += 1;
  }
  return count;
}

function namesIn(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: "utf8" }).sort();
}
