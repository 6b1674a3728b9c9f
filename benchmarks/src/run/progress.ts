import type { Case, Subject, WorkloadName } from "../workload.ts";

export interface ProgressReport {
  readonly workload: WorkloadName;
  readonly title: string;
  readonly subject: string;
  /** Counts from 1; 0 is the round that does not count. */
  readonly round: number;
  readonly rounds: number;
  readonly casesDone: number;
  readonly cases: number;
  /** Of the whole run, an estimate; undefined while nothing is done yet. */
  readonly remainingMilliseconds: number | undefined;
}

/** How far a run is, and how long it will take: what is done took so long of its own estimate. */
export class Progress {
  readonly #started = performance.now();
  readonly #cases: number;
  readonly #seconds: number;
  #doneCases = 0;
  #doneSeconds = 0;
  #turns = 0;

  constructor(cases: readonly Case[]) {
    this.#cases = cases.length;
    this.#seconds = cases.reduce((sum, each) => sum + estimate(each), 0);
  }

  /** A case's part of the whole run, between 0 and 1. */
  share(measured: Case): number {
    return estimate(measured) / this.#seconds;
  }

  turn(workload: WorkloadName, measured: Case, subject: Subject, round: number): ProgressReport {
    const done = this.#doneSeconds + this.#turns * measured.turnSeconds;
    this.#turns += 1;
    const elapsed = performance.now() - this.#started;
    return {
      workload,
      title: measured.title,
      subject: subject.id,
      round: round + 1,
      rounds: measured.rounds,
      casesDone: this.#doneCases,
      cases: this.#cases,
      remainingMilliseconds: done > 0 ? (elapsed / done) * (this.#seconds - done) : undefined,
    };
  }

  finish(measured: Case): void {
    this.#turns = 0;
    this.#doneCases += 1;
    this.#doneSeconds += estimate(measured);
  }
}

function estimate({ rounds, warmup, subjects, turnSeconds }: Case): number {
  return (rounds + (warmup ? 1 : 0)) * subjects.length * turnSeconds;
}
