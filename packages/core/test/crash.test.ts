import { readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { failpoints } from "@strata/core";
import { describe, expect, test } from "vitest";
import { Child, runChild } from "./child.ts";
import { committed, directoryDriver, idsOf, litter, scratch } from "./scratch.ts";

// What is found after a kill at each of them, the conformance suite shows, on every driver.
test("every failpoint is come to", async () => {
  const trace = join(scratch(), "trace");
  await runChild({
    root: join(scratch(), "root"),
    durability: "commit",
    failpoint: `>${trace}`,
    steps: [
      ["prepare", "b"],
      ["commit", "b", "base"],
      ["prepare", "a", "base"],
      ["mount", "a", { persistent: true }],
      ["unmount", "a"],
      ["commit", "a", "name"],
      ["prepare", "late"],
      ["commit", "late", "late-name", { parent: "base" }],
      ["prepare", "again"],
      ["commit", "again", "base", { replace: true }],
      ["label", "name", { a: "b" }],
      ["remove", "name"],
      ["cleanup"],
    ],
  });
  expect(new Set(readFileSync(trace, "utf8").trimEnd().split("\n"))).toEqual(new Set(failpoints));
});

describe("a process that dies", () => {
  test("in prepare leaves garbage that does not hold its parent", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    await (await driver.prepare("b")).commit("base");
    await using child = new Child({ root, steps: [["prepare", "a", "base"]], hangIn: "create" });
    await child.next();

    await expect(driver.remove("base")).rejects.toThrow(/parent of "a"/);
    await driver.cleanup();
    expect(readdirSync(join(root, "snapshots"))).toHaveLength(2);

    await child.kill();
    await driver.remove("base");
    await driver.cleanup();
    expect(readdirSync(join(root, "snapshots"))).toEqual([]);
  });

  test("in prepare keeps its parent from being replaced until then", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    await (await driver.prepare("b")).commit("base");
    const good = await driver.prepare("good");
    await using child = new Child({ root, steps: [["prepare", "a", "base"]], hangIn: "create" });
    await child.next();

    const replaced = good.commit("base", { replace: true });
    await expect(replaced).rejects.toMatchObject({
      code: "Busy",
      message: expect.stringContaining("a snapshot is just being made from it; try again"),
    });
    await child.kill();
    await good.commit("base", { replace: true });
    expect(await driver.check()).toEqual([]);
  });

  test.each([
    ["its record", "committed.json"],
    ["all", ""],
  ])("in a commit in place of one that had lost %s leaves no key, and no garbage", async (_, lost) => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    await committed(driver, "base");
    await driver.prepare("base-key");
    rmSync(join(realpathSync(join(root, "names/base")), lost), { recursive: true });
    const steps = [["commit", "base-key", "base", { replace: true }]];
    await runChild({ root, steps, failpoint: "replace.renamed" });

    await expect(driver.stat("base-key")).rejects.toMatchObject({ code: "NotFound" });
    await driver.cleanup();
    expect(litter(driver)).toEqual([]);
    expect(readdirSync(join(root, "keys"))).toEqual([]);
    expect(await idsOf(driver)).toEqual(["base"]);
    expect(await driver.check()).toEqual([]);
  });

  test("in commit leaves the snapshot active, and lets others commit it", async () => {
    const root = scratch();
    const driver = await directoryDriver({ root });
    const active = await driver.prepare("a");
    await using child = new Child({ root, steps: [["commit", "a", "name"]], hangIn: "seal" });
    await child.next();
    const waiting = active.commit("mine", { signal: AbortSignal.timeout(50) });
    await expect(waiting).rejects.toThrow(/timeout/);
    await child.kill();
    await active.commit("mine");
  });
});
