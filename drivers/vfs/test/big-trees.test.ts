import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Scratch } from "@strata/conformance/suite";
import type { StorageDriver } from "@strata/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { base, open } from "./base-layer.ts";
import { describeTree, fillWithEverything } from "./fixtures/trees.mjs";
import { asOrdinaryUser, runsAsRoot } from "./scratch.ts";

// So big that further threads take part: the first thousand entries of a copy are one thread's.
const directories = 60;
const filesEach = 60;

/** Everything there is, in many places; names of one file in several directories; and one directory with many files. */
function fill(tree: string): void {
  for (let n = 0; n < directories; n++) {
    const directory = join(tree, `${n}`);
    mkdirSync(directory);
    for (let file = 0; file < filesEach; file++) writeFileSync(join(directory, `${file}`), `${n}/${file}`);
    if (n > 0) linkSync(join(tree, `${n - 1}`, "0"), join(directory, "linked"));
    if (n === directories - 5) {
      mkdirSync(join(directory, "everything"));
      fillWithEverything(join(directory, "everything"));
    }
  }
  mkdirSync(join(tree, "flat"));
  for (let file = 0; file < 2000; file++) writeFileSync(join(tree, "flat", `${file}`), "");
}

const threads = () => readdirSync("/proc/self/task").length;

/** How many threads the process has at most while `work` goes on, and whether it has as many as before afterwards. */
async function watchThreads(work: () => Promise<unknown>): Promise<{ more: number; after: number }> {
  const before = threads();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, threads());
  }, 1);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { more: most - before, after: threads() - before };
}

describe("a copy of a big tree", () => {
  const scratch = new Scratch();
  let driver: StorageDriver;
  let parent: string;
  beforeAll(async () => {
    driver = await open(scratch.path);
    parent = await base(driver, fill);
  });
  afterAll(async () => {
    await driver.close();
    await scratch[Symbol.asyncDispose]();
  });

  test("is made by several threads, equals it, and ends them", async () => {
    const { more, after } = await watchThreads(() => driver.prepare("child", "base"));
    expect(more).toBeGreaterThanOrEqual(availableParallelism() > 1 ? 1 : 0);
    expect(after).toBeLessThanOrEqual(0);
    const child = await driver.open("child");
    expect(describeTree(child.layout().dir)).toEqual(describeTree(parent));
  });

  test("several at once equal it, with no more threads than CPUs", async () => {
    const keys = ["a", "b"];
    const { more } = await watchThreads(() => Promise.all(keys.map((key) => driver.prepare(key, "base"))));
    expect(more).toBeLessThan(Math.min(availableParallelism(), 4) + 1);
    const expected = describeTree(parent);
    for (const key of keys) {
      const child = await driver.open(key);
      expect(describeTree(child.layout().dir)).toEqual(expected);
    }
  });

  test("that is aborted leaves nothing, no open file either", async () => {
    const opened = () => readdirSync("/proc/self/fd").length;
    for (const turn of [2, 6]) {
      const abort = new AbortController();
      const reason = new Error(`no longer wanted after ${turn} turns`);
      const before = opened();
      let turns = 0;
      const timer = setInterval(() => ++turns === turn && abort.abort(reason), 1);
      const outcome = await driver
        .prepare("aborted", "base", { signal: abort.signal })
        .catch((error: unknown) => error);
      clearInterval(timer);
      expect(outcome).toBe(reason);
      expect(opened()).toBeLessThanOrEqual(before);
      expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
    }
  });

  test.runIf(runsAsRoot)("fails if something is mounted anywhere in it", async () => {
    const names = [join("3", "7"), join("flat", "1999")];
    for (const name of names) {
      execFileSync("mount", ["--bind", join(parent, "0/1"), join(parent, name)]);
      try {
        await expect(driver.prepare("mounted", "base")).rejects.toMatchObject({
          code: "Busy",
          message: expect.stringContaining(`"${name}"`),
        });
      } finally {
        execFileSync("umount", [join(parent, name)]);
      }
    }
    expect(await driver.cleanup()).toEqual({ removed: 0, bytes: 0 });
  });
});

test("an ordinary user's big tree is copied whole, closed to him or not", async () => {
  const output = await asOrdinaryUser(`
    const { chmodSync, mkdirSync, writeFileSync } = await import("node:fs");
    const { vfs } = await import("@strata/driver-vfs");
    const { describeTree } = await import("./fixtures/trees.mjs");
    const driver = await vfs({ root });
    const active = await driver.prepare("making");
    const tree = active.layout().dir;
    for (let n = 0; n < 40; n++) {
      mkdirSync(tree + "/" + n + "/in", { recursive: true });
      for (let file = 0; file < 60; file++) {
        const path = tree + "/" + n + "/in/" + file;
        writeFileSync(path, path);
        chmodSync(path, file % 3 === 0 ? 0 : 0o644);
      }
      chmodSync(tree + "/" + n + "/in", n % 2 === 0 ? 0 : 0o755);
      chmodSync(tree + "/" + n, n % 5 === 0 ? 0o100 : 0o755);
    }
    await active.commit("base");
    const child = await driver.prepare("child", "base");
    console.log(JSON.stringify([describeTree(tree), describeTree(child.layout().dir)]));
    await driver.close();
  `);
  const [before, copy] = JSON.parse(output);
  expect(Object.keys(before).length).toBeGreaterThanOrEqual(2480);
  expect(copy).toEqual(before);
});
