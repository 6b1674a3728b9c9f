import assert from "node:assert/strict";
import type { ErrorCode } from "@strata/core";
import type { Operation } from "./operations.ts";
import { type Abilities, resolve } from "./resolve.ts";
import { describeStep, type Step } from "./step.ts";
import { type Participant, Subject } from "./subject.ts";

/** What was done and compared. */
export interface Tally {
  /** Lists of operations. */
  runs: number;
  /** Operations, each done by every driver. */
  steps: number;
  /** Of these, refused by every driver, as the model says. */
  refused: number;
  /** Times that the diffs of two drivers were compared, byte for byte. */
  diffsCompared: number;
  /** Times that they were not, since changed hardlinks had made two trees of one by then. */
  diffsApart: number;
}

/**
 * Do operations to drivers side by side, each on a new root, and after each one compare them with their models and with
 * each other.
 * @throws RunFailure
 */
export async function runOperations(
  participants: readonly Participant[],
  operations: readonly Operation[],
  tally: Tally,
): Promise<void> {
  const subjects: Subject[] = [];
  const done: string[] = [];
  let at = "";
  try {
    for (const participant of participants) subjects.push(await Subject.open(participant));
    tally.runs += 1;
    for (const [turn, operation] of operations.entries()) {
      const step = nextStep(operation, subjects, turn);
      if (step === undefined) continue;
      done.push(describeStep(step));
      const codes = new Map<string, ErrorCode | undefined>();
      for (const subject of subjects) {
        at = subject.name;
        codes.set(subject.name, await subject.perform(step));
        await subject.verify(step);
      }
      at = "all drivers";
      compareCodes(codes);
      compareDiffs(subjects, step, tally);
      tally.steps += 1;
      if ([...codes.values()].some((code) => code !== undefined)) tally.refused += 1;
    }
    done.push("look at everything, remove everything");
    for (const subject of subjects) {
      at = subject.name;
      await subject.finish();
    }
  } catch (error) {
    throw new RunFailure(at, done, error);
  } finally {
    for (const subject of subjects) await subject[Symbol.asyncDispose]();
  }
}

/** What went wrong, and after what. */
export class RunFailure extends Error {
  /** What was done, in words; the last is where it went wrong. */
  readonly done: readonly string[];

  constructor(driver: string, done: readonly string[], cause: unknown) {
    super(`${driver}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.done = done;
  }
}

/** The same for all drivers: names and types of files never differ between them, only what is one file does. */
function nextStep(operation: Operation, subjects: readonly Subject[], turn: number): Step | undefined {
  const [first] = subjects;
  if (first === undefined) return undefined;
  const can = (ability: keyof Abilities) =>
    subjects.every(({ model: { capabilities } }) => capabilities[ability].supported);
  const abilities = {
    ownership: can("ownership"),
    xattrs: can("xattrs"),
    readonlyViews: can("readonlyViews"),
  };
  return resolve(operation, first.model, abilities, turn);
}

function compareCodes(codes: ReadonlyMap<string, ErrorCode | undefined>): void {
  const shown = [...codes].map(([name, code]) => `${name} ${code ?? "succeeds"}`).join(", ");
  assert.equal(new Set(codes.values()).size, 1, `the drivers do not agree: ${shown}`);
}

/** Where the models say that the trees are equal, so must be the bytes of the diffs. */
function compareDiffs([first, ...others]: readonly Subject[], step: Step, tally: Tally): void {
  const id = step.call === "commit" ? step.name : "key" in step ? step.key : undefined;
  const one = id === undefined ? undefined : first?.model.find(id);
  if (first === undefined || one === undefined) return;
  for (const other of others) {
    const another = other.model.get(id ?? "");
    const isSame =
      one.tree.equals(another.tree) &&
      (one.base === another.base || (one.base !== undefined && another.base?.equals(one.base)));
    if (!isSame) {
      tally.diffsApart += 1;
      continue;
    }
    const digest: string | undefined = first.inspector.digest(one);
    assert(digest !== undefined, `no diff was made of ${id}`);
    const shown: string = `${first.name} and ${other.name} differ in the diff of ${id}`;
    assert.equal(other.inspector.digest(another), digest, shown);
    tally.diffsCompared += 1;
  }
}
