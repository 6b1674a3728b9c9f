import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { type Durability, type StorageDriver, treeUsage } from "@strata/core";
import { DriverProcess, type Step } from "../../host/driver-process.ts";
import { type DriverSteps, driverSteps } from "../../host/driver-steps.ts";
import { mountsBelow } from "../../host/scratch.ts";
import { randomNumbers } from "../../random-numbers.ts";
import type { Trial } from "../../trial.ts";
import { removeAll, type State, stateOf } from "./state.ts";

export type AnyStep = { [Name in keyof DriverSteps]: Step<Name> }[keyof DriverSteps];

/** Something that a process is killed in. */
export interface Crash {
  /** Without it, the process finds no root. */
  readonly setUp?: (site: Site) => Promise<void>;
  /** Done one after the other. Opening the driver comes before. */
  readonly steps: readonly AnyStep[];
  /** @defaultValue "none" */
  readonly durability?: Durability;
}

/** A root for one kill. */
export interface Site extends Pick<Trial, "under" | "root"> {
  readonly driver: StorageDriver;
}

/** How often a process is killed at a random moment; one on core is killed at its failpoints, too. */
const randomKills = { beside: 2, alone: 8 };
const seed = 20_240_817;

/**
 * Do something in processes that are killed in the middle of it: at each of core's failpoints that they come to, at the
 * first time and at the last, and at some random moments. After each, another instance finds the state as it was before
 * or as it is afterwards, sees no damage, and gives back all that is left over; and what was cut short can be done.
 */
export async function killEverywhere(trial: Trial, crash: Crash): Promise<void> {
  const { before, after, passed, durationMs } = await rehearse(trial, crash);
  let round = 0;
  const afterKill = async (where: string, kill: (site: Pick<Trial, "under" | "root">) => Promise<void>) => {
    round += 1;
    await using site = await openSite(trial, `kill-${round}`, crash);
    await kill(site);
    try {
      await examine(site, crash, before, after);
    } catch (error) {
      throw new Error(`after a kill ${where}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  };

  for (const point of passed) {
    await afterKill(`at ${point}`, async (site) => {
      assert(await isKilledAt(point, site, crash), `the process did not come to ${point}`);
    });
  }
  const random = randomNumbers(seed);
  for (let n = 0; n < (passed.length > 0 ? randomKills.beside : randomKills.alone); n += 1) {
    const afterMs = random() * durationMs;
    await afterKill(`${afterMs.toFixed(1)} ms after the start (seed ${seed})`, async (site) => {
      await using child = await DriverProcess.start(site, optionsOf(crash));
      // It may be done before.
      const done = doAll(child, crash).catch(() => {});
      await setTimeout(afterMs);
      await child.kill();
      await done;
    });
  }
}

/** Let a process of a driver on core be killed at a failpoint; others do it all. @returns whether it was killed */
export async function isKilledAt(
  point: string,
  site: Pick<Trial, "under" | "root">,
  crash: Crash,
): Promise<boolean> {
  let child: DriverProcess | undefined;
  try {
    child = await DriverProcess.start(site, { ...optionsOf(crash), env: { STRATA_FAILPOINT: point } });
    await doAll(child, crash);
    return false;
  } catch (error) {
    // It can end while it opens the driver, too: then there is nobody to ask.
    if (child !== undefined && (await child.exited).signal !== "SIGKILL") throw error;
    return true;
  } finally {
    await child?.kill();
  }
}

interface Rehearsal {
  readonly before: Found;
  readonly after: Found;
  /** Each failpoint that the process came to, at the first time and at the last; without those of opening. */
  readonly passed: readonly string[];
  /** From when the driver is open. */
  readonly durationMs: number;
}

interface Found {
  readonly state: State;
  /** Inodes below the root. */
  readonly inodes: number;
}

async function rehearse(trial: Trial, crash: Crash): Promise<Rehearsal> {
  const before = await findBefore(trial, crash);
  await using site = await openSite(trial, "rehearsal", crash);
  const trace = trial.path("trace");
  await using child = await DriverProcess.start(site, {
    ...optionsOf(crash),
    env: { STRATA_FAILPOINT: `>${trace}` },
  });
  const opening = crash.steps.length === 0 ? [] : linesOf(trace);
  const start = performance.now();
  await doAll(child, crash);
  const durationMs = performance.now() - start;
  await child.kill();
  const passed = firstAndLast(opening, linesOf(trace));
  return { before, after: await find(site), passed, durationMs };
}

async function examine(site: Site, crash: Crash, before: Found, after: Found): Promise<void> {
  await using driver = await open(site);
  assert.deepEqual(await driver.check(), []);
  const found = await stateOf(driver);
  const isBefore = isEqual(found, before.state);
  if (!isBefore) assert.deepEqual(found, after.state, "the state is neither that before nor that after");

  await driver.cleanup();
  assert.deepEqual(await stateOf(driver), found);
  const { inodes } = await treeUsage(site.root);
  assert(
    inodes <= Math.max(before.inodes, after.inodes),
    `${inodes} inodes are left; there were ${before.inodes} before, and there are ${after.inodes} after`,
  );
  if (!Object.values(found).some(({ mounted }) => mounted)) assert.deepEqual(mountsBelow(site.root), []);

  if (isBefore) await doHere(driver, crash);
  assert.deepEqual(await stateOf(driver), after.state);
  assert.deepEqual(await driver.check(), []);
  await removeAll(driver);
  const { inodes: left } = await treeUsage(site.root);
  assert.equal(left, await emptyInodes(site), "inodes when all is removed");
}

/** How many inodes a root takes in which there never was anything. */
async function emptyInodes({ under, root }: Site): Promise<number> {
  await using driver = await under.create({ root: `${root}-empty`, durability: "none" });
  return (await treeUsage(driver.root)).inodes;
}

/** On another root than what is rehearsed, since a cleanup is part of the looking. */
async function findBefore(trial: Trial, crash: Crash): Promise<Found> {
  await using site = await openSite(trial, "before", crash);
  return await find(site);
}

async function find(site: Site): Promise<Found> {
  await using driver = await open(site);
  const state = await stateOf(driver);
  await driver.cleanup();
  return { state, inodes: (await treeUsage(site.root)).inodes };
}

function open({ under, root }: Pick<Trial, "under" | "root">): Promise<StorageDriver> {
  return under.create({ root, durability: "none" });
}

async function openSite(trial: Trial, name: string, { setUp }: Crash): Promise<Site & AsyncDisposable> {
  const site = { under: trial.under, root: trial.path(name) };
  if (setUp === undefined) return { ...site, driver: trial.driver, [Symbol.asyncDispose]: async () => {} };
  const driver = await open(site);
  await setUp({ ...site, driver });
  return { ...site, driver, [Symbol.asyncDispose]: () => driver.close() };
}

async function doAll(child: DriverProcess, { steps }: Crash): Promise<void> {
  for (const step of steps) await child.do(step);
}

async function doHere(driver: StorageDriver, { steps }: Crash): Promise<void> {
  const known = driverSteps(driver);
  for (const [name, ...given] of steps) {
    const step: string = name;
    // The compiler has seen in AnyStep to what it takes.
    const act: (...given: readonly unknown[]) => Promise<unknown> = Reflect.get(known, step);
    await act(...given);
  }
}

function optionsOf({ durability = "none" }: Crash): { durability: Durability } {
  return { durability };
}

/** As `<name>:<n>`, when a process that has come to `all` names after some others comes to each. */
function firstAndLast(others: readonly string[], all: readonly string[]): string[] {
  const points = [...new Set(all.slice(others.length))].flatMap((name) => {
    const isSame = (other: string) => other === name;
    return [`${name}:${others.filter(isSame).length + 1}`, `${name}:${all.filter(isSame).length}`];
  });
  return [...new Set(points)];
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
}

function isEqual(a: State, b: State): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
