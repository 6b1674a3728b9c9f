import type { Case, Subject } from "../workload.ts";

/** How far a run is: whose turn begins, in which case. */
export interface ProgressReport {
  readonly workload: string;
  /** Of the case. */
  readonly title: string;
  /** The id of the subject. */
  readonly subject: string;
  /** Counts from 1; 0 is the round that does not count; undefined: the subject is made ready for the first one. */
  readonly round: number | undefined;
  readonly rounds: number;
  readonly casesDone: number;
  readonly cases: number;
  /** Of the whole run, an estimate. */
  readonly remainingMilliseconds: number;
}

/** A subject's turn, or its making ready. */
export interface Turn {
  readonly subject: Subject;
  /** Counts from 0; -1 is the round that does not count; undefined: it is made ready. */
  readonly round: number | undefined;
}

/** The part of a run after which its own pace counts as much as the guesses that its cases come with. */
const ownPace = 0.05;

/** How far a run is, and how long it will take. */
export class Progress {
  readonly #now: () => number;
  readonly #started: number;
  readonly #end: number;
  readonly #cases: number;
  readonly #seconds: number;
  /** What is left at least, in seconds: a round of each case is taken beyond any budget. */
  #leastSeconds: number;
  #doneCases = 0;
  #doneSeconds = 0;
  #turns = 0;

  /**
   * @param budgetMilliseconds - what the run is to take at most
   * @param now - a clock, in milliseconds
   */
  constructor(cases: readonly Case[], budgetMilliseconds = Infinity, now = () => performance.now()) {
    this.#now = now;
    this.#started = now();
    this.#end = this.#started + budgetMilliseconds;
    this.#cases = cases.length;
    this.#seconds = cases.reduce((sum, each) => sum + estimate(each), 0);
    this.#leastSeconds = cases.reduce((sum, each) => sum + least(each), 0);
  }

  /**
   * When a case that begins now has used up its part of what is left of the budget. What one case does not use, those
   * after it have.
   */
  deadline(measured: Case): number {
    const now = this.#now();
    const left = this.#seconds - this.#doneSeconds;
    return left > 0 ? now + (this.#end - now) * (estimate(measured) / left) : this.#end;
  }

  /** A turn begins. */
  turn(workload: string, measured: Case, { subject, round }: Turn): ProgressReport {
    const done = this.#doneSeconds + this.#turns * measured.turnSeconds;
    if (round !== undefined) this.#turns += 1;
    return {
      workload,
      title: measured.title,
      subject: subject.id,
      round: round === undefined ? undefined : round + 1,
      rounds: measured.rounds,
      casesDone: this.#doneCases,
      cases: this.#cases,
      remainingMilliseconds: this.#remaining(done),
    };
  }

  finish(measured: Case): void {
    this.#turns = 0;
    this.#doneCases += 1;
    this.#doneSeconds += estimate(measured);
    this.#leastSeconds -= least(measured);
  }

  #remaining(doneSeconds: number): number {
    const now = this.#now();
    const trusted = this.#seconds * ownPace;
    const pace = ((now - this.#started) / 1000 + trusted) / (doneSeconds + trusted);
    const left = pace * (this.#seconds - doneSeconds) * 1000;
    return Math.min(left, Math.max(this.#end - now, pace * this.#leastSeconds * 1000));
  }
}

function estimate({ rounds, warmup, subjects, turnSeconds }: Case): number {
  return (rounds + (warmup ? 1 : 0)) * subjects.length * turnSeconds;
}

function least(measured: Case): number {
  return estimate({ ...measured, rounds: 1 });
}
