import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { StorageDriver } from "@strata/core";
import { describe, expect, test } from "vitest";
import { Child, runChild } from "./child.ts";
import { directoryDriver, litter, scratch } from "./scratch.ts";

async function kinds(driver: StorageDriver): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { id, kind, parent } of driver.list()) found[id] = parent ? `${kind} on ${parent}` : kind;
  return found;
}

/** Runs a step in processes that die before its first, second, ... system call, until one lives to its end. */
async function killEverywhere(
  durability: "none" | "commit",
  setUp: (driver: StorageDriver) => Promise<void>,
  step: readonly unknown[],
  states: readonly [before: object, after: object],
): Promise<void> {
  const seen = new Set<string>();
  let retried = 0;
  for (let killAt = 1; ; killAt++) {
    const root = scratch();
    const driver = await directoryDriver({ root, durability });
    await setUp(driver);
    const lines = await runChild({ root, steps: [step], killAt, durability });

    const found = await kinds(driver);
    seen.add(JSON.stringify(found));
    expect(states).toContainEqual(found);
    expect(await driver.check()).toEqual([]);
    await driver.cleanup();
    expect(litter(driver)).toEqual([]);
    expect(await kinds(driver)).toEqual(found);
    // And what was cut short can be done now.
    if (isDeepStrictEqual(found, states[0])) {
      retried++;
      expect(await runChild({ root, steps: [step], durability })).not.toContainEqual(
        expect.objectContaining({ code: expect.anything() }),
      );
    }
    await removeAll(driver);
    if (lines.length > 0) break;
    expect(killAt).toBeLessThan(100);
  }
  // The test was one: it has seen both sides of the commit point.
  expect(seen.size).toBe(2);
  expect(retried).toBeGreaterThan(1);
}

/** Children first, so that what was left of a kill would be in the way. */
async function removeAll(driver: StorageDriver): Promise<void> {
  for (const id of ["a", "child", "name", "base"]) {
    await driver.remove(id).catch((error: unknown) => expect(error).toMatchObject({ code: "NotFound" }));
  }
  await driver.cleanup();
  for (const name of ["snapshots", "keys", "names", "trash"]) {
    expect(readdirSync(join(driver.root, name))).toEqual([]);
  }
}

describe("kill at each failpoint: whole or not at all", () => {
  const withBase = async (driver: StorageDriver) => void (await (await driver.prepare("b")).commit("base"));

  test("prepare", () =>
    killEverywhere(
      "none",
      withBase,
      ["prepare", "a", "base"],
      [{ base: "committed" }, { base: "committed", a: "active on base" }],
    ));

  test.each(["none", "commit"] as const)("commit (durability: %s)", (durability) =>
    killEverywhere(
      durability,
      async (driver) => void (await driver.prepare("a")),
      ["commit", "a", "name"],
      [{ a: "active" }, { name: "committed" }],
    ),
  );

  test("commit on top of a parent given late", () =>
    killEverywhere(
      "commit",
      async (driver) => {
        await withBase(driver);
        await driver.prepare("a");
      },
      ["commit", "a", "name", { parent: "base", synced: true }],
      [
        { base: "committed", a: "active" },
        { base: "committed", name: "committed on base" },
      ],
    ));

  test("remove", () =>
    killEverywhere(
      "none",
      async (driver) => {
        await withBase(driver);
        await driver.prepare("a", "base");
      },
      ["remove", "a"],
      [{ base: "committed", a: "active on base" }, { base: "committed" }],
    ));
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
