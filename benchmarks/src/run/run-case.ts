import { loadOfOthers, loadWhile } from "../host/load-watch.ts";
import { Resources } from "../resources.ts";
import type { Measurement, Results } from "../results/schema.ts";
import type { Case } from "../workload.ts";
import type { WorkloadReference } from "../workloads/index.ts";
import { type CaseOptions, SubjectRun } from "./subject-run.ts";

export interface CaseResult {
  readonly measurements: readonly Measurement[];
  readonly failures: Results["failures"];
}

/** How often a strict run looks whether the host has come to rest: what it wrote itself is written to disk meanwhile. */
const strictAttempts = 15;

/**
 * Measure a case: all its subjects in turns, each round beginning with another one. A subject that fails is left out
 * from there on. Everything that is made on the way is removed.
 * @throws HostBusy, if `strict` and the host does something else
 * @throws the signal's reason
 */
export async function runCase(
  workload: WorkloadReference,
  measured: Case,
  options: CaseOptions,
): Promise<CaseResult> {
  const { signal, strict } = options;
  try {
    const before = await loadOfOthers(strict ? strictAttempts : 1);
    if (strict) throwIfBusy(before);
    await using running = new RunningCase(workload, measured, options);
    await running.open();
    const meanwhile = await loadWhile(() => running.takeRounds());
    if (strict) throwIfBusy(meanwhile);
    await running.close();
    return running.result([...before, ...meanwhile]);
  } catch (error) {
    // What fails because of the abort, or after it, is not what ends it.
    signal.throwIfAborted();
    throw error;
  }
}

/** @throws HostBusy */
export function throwIfBusy(reasons: readonly string[]): void {
  if (reasons.length > 0) throw new HostBusy(reasons);
}

/** The host does something else, so figures would mean nothing. */
export class HostBusy extends Error {
  override readonly name = "HostBusy";

  constructor(reasons: readonly string[]) {
    super(`the host is not at rest: ${reasons.join("; ")}; end what runs there, or leave out --strict`);
  }
}

/** The subjects of a case, those that have not failed. */
class RunningCase implements AsyncDisposable {
  readonly #workload: WorkloadReference;
  readonly #case: Case;
  readonly #options: CaseOptions;
  readonly #resources = new Resources();
  readonly #failures: Results["failures"] = [];
  #runs: SubjectRun[] = [];

  constructor(workload: WorkloadReference, measured: Case, options: CaseOptions) {
    this.#workload = workload;
    this.#case = measured;
    this.#options = options;
  }

  async open(): Promise<void> {
    for (const subject of this.#case.subjects) {
      this.#options.onTurn({ subject, round: undefined });
      const run = this.#resources.use(new SubjectRun(this.#workload, this.#case, subject, this.#options));
      this.#runs.push(run);
      await this.#attempt(run, () => run.open());
    }
  }

  async takeRounds(): Promise<void> {
    const { onTurn, deadline } = this.#options;
    for (let round = this.#case.warmup ? -1 : 0; round < this.#case.rounds; round++) {
      if (this.#runs.length === 0 || (round > 0 && performance.now() > deadline)) return;
      const first = Math.max(round, 0) % this.#runs.length;
      for (const run of [...this.#runs.slice(first), ...this.#runs.slice(0, first)]) {
        onTurn({ subject: run.subject, round });
        await this.#attempt(run, () => run.takeTurn(round >= 0));
      }
    }
  }

  /** A subject that fails in this has been measured all the same. */
  async close(): Promise<void> {
    for (const run of this.#runs) {
      await run[Symbol.asyncDispose]().catch((error: unknown) => this.#note(run, error));
    }
  }

  result(disturbances: readonly string[]): CaseResult {
    return {
      measurements: this.#runs.flatMap((run) => run.measurements(disturbances)),
      failures: this.#failures,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]().catch(() => {
      // Whatever failed to close has been noted, or something else had failed before.
    });
  }

  async #attempt(run: SubjectRun, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    try {
      await act();
    } catch (error) {
      signal.throwIfAborted();
      this.#note(run, error);
      // The others go on without it, and without what it does and holds.
      this.#runs = this.#runs.filter((each) => each !== run);
      await run[Symbol.asyncDispose]().catch((closing: unknown) => this.#note(run, closing));
    }
  }

  #note({ subject }: SubjectRun, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#failures.push({ workload: this.#workload, title: this.#case.title, subject: subject.id, message });
  }
}
