import { existsSync, lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { copyUp } from "../src/workloads/copy-up.ts";
import { describeEachDriver, useScratch } from "./support/each-driver.ts";
import { driverSubject, peerSubject, WorkloadTrial } from "./support/workload-trial.ts";

const fileBytes = 10_000;
const isRoot = process.geteuid?.() === 0;

const scratch = useScratch();

describeEachDriver("copy-up of", (name, itIfPossible) => {
  const start = async (parameters: Record<string, number>) =>
    new WorkloadTrial(copyUp, await driverSubject(name, scratch.path), parameters);

  itIfPossible("of a file: each operation writes to one that was never written to", async () => {
    await using run = await start({ fileBytes });
    await run.setUp();
    const trial = await run.open();
    const lower = await lowerOf(run);
    const before = readFileSync(join(lower, "first"));
    for (let round = 0; round < 2; round++) {
      const copied: Record<string, readonly string[]> = {};
      await run.round(trial, async (operation) => {
        if (operation === "discard") return;
        const { path, layer } = await activeOf(run, "active-1");
        copied[operation] = readdirSync(layer).sort();
        const read = (file: string) => readFileSync(join(path, file));
        if (operation === "first byte") {
          expect(read("first")).toEqual(Buffer.concat([Buffer.from("x"), before.subarray(1)]));
        }
        if (operation === "append") expect(read("append").length).toBe(fileBytes + 1);
        if (operation === "truncate") expect(read("truncate").length).toBe(fileBytes / 2);
        if (operation === "overwrite") {
          expect(read("overwrite").length).toBe(fileBytes);
          expect(read("overwrite")).not.toEqual(readFileSync(join(lower, "overwrite")));
        }
      });
      const all = ["append", "first", "overwrite", "truncate"];
      expect(copied).toEqual(
        name === "vfs"
          ? { prepare: all, "first byte": all, append: all, overwrite: all, truncate: all }
          : {
              prepare: [],
              "first byte": ["first"],
              append: ["append", "first"],
              overwrite: ["append", "first", "overwrite"],
              truncate: all,
            },
      );
    }
    expect(before).toHaveLength(fileBytes);
    expect(readFileSync(join(lower, "first"))).toEqual(before);
  });

  itIfPossible("of a tree: all of it has the new mode, owner or name", async () => {
    const files = 30;
    await using run = await start({ files });
    await run.setUp();
    const trial = await run.open();
    const lower = await lowerOf(run);
    for (let round = 0; round < 2; round++) {
      await run.round(trial, async (operation) => {
        if (operation === "discard") return;
        const { path } = await activeOf(run, "active-1");
        const modes = attributes(join(path, "chmod"), ({ mode }) => mode & 0o7777);
        const owners = attributes(join(path, "chown"), ({ uid, gid }) => `${uid}:${gid}`);
        if (operation === "chmod tree") expect([...modes]).toEqual([0o700]);
        else if (operation === "prepare") expect(modes.size).toBeGreaterThan(1);
        if (operation === "chown tree" && isRoot) expect([...owners]).toEqual(["1000:1000"]);
        else if (operation === "prepare" && isRoot) expect([...owners]).toEqual(["0:0"]);
        const isRenamed = operation === "rename directory";
        expect(existsSync(join(path, "rename"))).toBe(!isRenamed);
        if (isRenamed) {
          expect(namesIn(join(path, "renamed"))).toEqual(namesIn(join(lower, "rename")));
          expect(namesIn(join(lower, "rename")).length).toBeGreaterThan(files);
        }
      });
    }
    expect(attributes(join(lower, "chmod"), ({ mode }) => mode & 0o7777).size).toBeGreaterThan(1);
  });
});

describe("copy-up beside cp", () => {
  it("has a copy of its own for each iteration", async () => {
    await using run = new WorkloadTrial(copyUp, peerSubject("cp", scratch.path), { fileBytes });
    await run.setUp();
    const trial = await run.open();
    // As of the drivers, which it is compared with.
    expect(trial.operations.map(({ name }) => name)).toEqual(["first byte"]);
    await run.round(trial);
    await run.round(trial);
    const { directory } = run.context;
    expect(readdirSync(directory).sort()).toEqual(["source", "target-0", "target-1"]);
    const [source, ...targets] = ["source", "target-0", "target-1"].map((file) =>
      readFileSync(join(directory, file)),
    );
    expect(source).toHaveLength(fileBytes);
    expect(targets).toEqual([source, source]);
  });

  it("is in no case in which its start is what takes the time", async () => {
    const subjects = [await driverSubject("vfs", scratch.path), peerSubject("cp", scratch.path)];
    const cases = copyUp.cases({ scale: "quick", subjects, threads: [1] });
    const withCp = cases.filter((each) => each.subjects.some(({ id }) => id === "cp"));
    expect(withCp.map(({ parameters }) => parameters)).toEqual([
      { fileBytes: 2 ** 20 },
      { fileBytes: 2 ** 26 },
      { fileBytes: 2 ** 20, durability: "none" },
    ]);
  });
});

/** Where the parent's own files lie on the host. */
async function lowerOf(run: WorkloadTrial): Promise<string> {
  await using driver = await run.driver();
  return (await driver.open("parent")).layout().dir;
}

/** Where an active snapshot is mounted, and where what is its own lies. */
async function activeOf(run: WorkloadTrial, key: string): Promise<{ path: string; layer: string }> {
  await using driver = await run.driver();
  const active = await driver.open(key);
  const path = active.kind === "active" ? await active.mountedAt() : undefined;
  return { path: path ?? "not mounted", layer: active.layout().dir };
}

function attributes<T>(tree: string, of: (stat: Stats) => T): Set<T> {
  const paths = ["", ...namesIn(tree)].map((name) => join(tree, name));
  const stats = paths.map((path) => lstatSync(path)).filter((stat) => !stat.isSymbolicLink());
  return new Set(stats.map(of));
}

function namesIn(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: "utf8" }).sort();
}
