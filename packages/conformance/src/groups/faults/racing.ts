import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStrataError } from "@strata/core";
import type { Trial } from "../../trial.ts";
import { traces } from "./left-behind.ts";

/** How each of several calls that were made at once ended: `done` or the code of its error. */
export async function outcomes(calls: readonly Promise<unknown>[]): Promise<string[]> {
  const results = await Promise.allSettled(calls);
  return results.map((result) => {
    if (result.status === "fulfilled") return "done";
    assert(isStrataError(result.reason), String(result.reason));
    return result.reason.code;
  });
}

/** That one of several calls succeeded, and all others failed with a code. */
export function oneDone(codes: readonly string[], others: string): void {
  assert.deepEqual([...codes].sort(), [...times(codes.length - 1, () => others), "done"].sort());
}

export function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** That a driver holds these snapshots, no others, and finds nothing wrong with them. */
export async function assertSound(trial: Trial, ...ids: readonly string[]): Promise<void> {
  const { snapshots, problems } = await traces(trial);
  assert.deepEqual(Object.keys(snapshots).sort(), [...ids].sort());
  assert.deepEqual(problems, []);
}

export function fewFiles(at: string): void {
  for (let n = 0; n < 30; n += 1) {
    mkdirSync(join(at, `${n % 3}`), { recursive: true });
    writeFileSync(join(at, `${n % 3}`, `${n}`), `${n}`);
  }
}

export function hasFewFiles(at: string): void {
  for (let n = 0; n < 30; n += 1) assert.equal(readFileSync(join(at, `${n % 3}`, `${n}`), "utf8"), `${n}`);
}
