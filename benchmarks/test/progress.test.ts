import { expect, it } from "vitest";
import { Progress } from "../src/run/progress.ts";
import type { Case, PeerSubject } from "../src/workload.ts";

const subject: PeerSubject = {
  kind: "peer",
  id: "tar",
  version: "1",
  directory: "/",
  fileSystem: "some",
  loop: false,
};

function makeCase(changes: Partial<Case> = {}): Case {
  return {
    title: "a case",
    parameters: {},
    subjects: [subject, subject],
    threads: 1,
    iterations: 1,
    rounds: 4,
    warmup: true,
    settle: false,
    turnSeconds: 1,
    ...changes,
  };
}

/** A clock that is set by hand, in seconds. */
function useClock() {
  const clock = { seconds: 100, now: () => clock.seconds * 1000 };
  return clock;
}

it("says what is done, and takes the cases' own guesses for what is left at first", () => {
  const [first, second] = [makeCase(), makeCase({ rounds: 9 })];
  const progress = new Progress([first, second], undefined, useClock().now);
  expect(progress.turn("read", first, { subject, round: undefined })).toEqual({
    workload: "read",
    title: "a case",
    subject: "tar",
    round: undefined,
    rounds: 4,
    casesDone: 0,
    cases: 2,
    remainingMilliseconds: 30_000,
  });
  expect(progress.turn("read", first, { subject, round: -1 }).round).toBe(0);
  progress.finish(first);
  expect(progress.turn("read", second, { subject, round: 8 })).toMatchObject({ casesDone: 1, round: 9 });
});

it("soon goes by the run's own pace", () => {
  const clock = useClock();
  const measured = makeCase({ rounds: 99 });
  const progress = new Progress([measured], undefined, clock.now);
  let remaining = 0;
  // Each turn takes three times as long as was guessed.
  for (let turn = 0; turn <= 100; turn++) {
    remaining = progress.turn("read", measured, { subject, round: 0 }).remainingMilliseconds;
    clock.seconds += 3;
  }
  // Half of it is done: what is left takes 300 s, of which the guess says 100.
  expect(remaining).toBeGreaterThan(270_000);
  expect(remaining).toBeLessThan(300_000);
  progress.finish(measured);
});

it("shares its budget by the guesses, and what one case leaves goes to those after it", () => {
  const clock = useClock();
  const [small, large, third] = [makeCase({ rounds: 1 }), makeCase({ rounds: 8 }), makeCase({ rounds: 8 })];
  const progress = new Progress([small, large, third], 110_000, clock.now);
  // 4 of 40 s, of a budget of 110.
  expect(progress.deadline(small)).toBe(111_000);
  clock.seconds += 2;
  progress.finish(small);
  expect(progress.deadline(large)).toBe(102_000 + 108_000 / 2);
  expect(progress.turn("read", large, { subject, round: 0 }).remainingMilliseconds).toBeLessThan(108_000);
  // It takes more than it should.
  clock.seconds += 100;
  progress.finish(large);
  expect(progress.deadline(third)).toBe(210_000);
  clock.seconds += 20;
  expect(progress.deadline(third)).toBe(210_000);
  // A round of it, 4 s by its own guess, is taken all the same.
  const { remainingMilliseconds } = progress.turn("read", third, { subject, round: undefined });
  expect(remainingMilliseconds).toBeGreaterThan(4000);
  expect(remainingMilliseconds).toBeLessThan(4000 * (122 / 22));
});

it("without a budget has no deadline", () => {
  const measured = makeCase();
  expect(new Progress([measured]).deadline(measured)).toBe(Infinity);
});
