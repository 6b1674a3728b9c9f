import fc from "fast-check";
import { operations } from "./operations.ts";
import { RunFailure, runOperations, type Tally } from "./run-operations.ts";
import type { Participant } from "./subject.ts";

export interface RandomOperationsOptions {
  /** How many lists of operations are tried. */
  readonly runs: number;
  /** The most operations in a list. @defaultValue 150 */
  readonly length?: number;
  /** What the lists are drawn from: the same seed, the same lists. */
  readonly seed: number;
  /** Try again the one list that a failure told of by this path. */
  readonly path?: string;
}

/** What came of random operations. */
export interface RandomOperationsReport extends Tally {
  readonly seed: number;
  readonly failure?: RandomOperationsFailure;
}

export interface RandomOperationsFailure {
  /** What differs, and from what. */
  readonly message: string;
  /** The shortest list of steps that was found to fail, in words. */
  readonly steps: readonly string[];
  /** With the seed, it leads to that list again. */
  readonly path: string;
  readonly cause: unknown;
}

/**
 * Let fast-check draw lists of operations, do each to all drivers side by side, and compare the drivers with a model
 * and with each other after every step. A list that fails is made as short as it can be.
 */
export async function randomOperations(
  participants: readonly Participant[],
  { runs, length = 150, seed, path }: RandomOperationsOptions,
): Promise<RandomOperationsReport> {
  const tally: Tally = { runs: 0, steps: 0, refused: 0, diffsCompared: 0, diffsApart: 0 };
  const property = fc.asyncProperty(operations(length), (list) => runOperations(participants, list, tally));
  const details = await fc.check(property, {
    numRuns: runs,
    seed,
    ...(path !== undefined && { path, endOnFailure: true }),
  });
  if (!details.failed || details.counterexamplePath === null) return { seed, ...tally };
  const cause = details.errorInstance;
  const steps = cause instanceof RunFailure ? cause.done : [];
  const message = cause instanceof Error ? cause.message : String(cause);
  return { seed, ...tally, failure: { message, steps, path: details.counterexamplePath, cause } };
}

/** A failure for people, ending with how it is repeated. */
export function describeFailure(failure: RandomOperationsFailure, repeat: string): string {
  const steps = failure.steps.map((step, index) => `  ${index + 1}. ${step}`);
  return [failure.message, "after", ...steps, `again: ${repeat}`].join("\n");
}
