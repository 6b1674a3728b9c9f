import { Scratch } from "@strata/conformance/suite";
import { deviceWrittenBytes } from "../host/block-device.ts";
import { loadOfOthers, stolenWhile } from "../host/load-watch.ts";
import { dropPageCache } from "../host/page-cache.ts";
import { run } from "../peers/command.ts";
import { Resources } from "../resources.ts";
import type { MeasuredRound, Measurement, Results } from "../results/schema.ts";
import { statisticsOf } from "../results/statistics.ts";
import type { Case, Subject, TrialContext, WorkloadName } from "../workload.ts";
import type { SentContext, SentOperation } from "./messages.ts";
import { TrialThread } from "./trial-thread.ts";

export interface CaseOptions extends Pick<TrialContext, "scale" | "seed" | "datasets" | "command"> {
  readonly cold: boolean;
  /** A host that does something else is an error, not only noted. */
  readonly strict: boolean;
  readonly archive?: string;
  readonly signal: AbortSignal;
  /** After this, no further round is begun. In milliseconds of `performance.now()`. */
  readonly deadline: number;
  readonly onTurn: (turn: { readonly subject: Subject; readonly round: number }) => void;
}

export interface CaseResult {
  readonly measurements: readonly Measurement[];
  readonly failures: Results["failures"];
}

/** Measure a case: all its subjects in turns, each round beginning with another one. */
export async function runCase(
  workload: WorkloadName,
  measured: Case,
  options: CaseOptions,
): Promise<CaseResult> {
  const failures: Results["failures"] = [];
  const disturbances = await restOrThrow(options);
  await using runs = new Resources();
  let running: SubjectRun[] = [];
  const attempt = async (subject: Subject, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      options.signal.throwIfAborted();
      // The others go on without it.
      running = running.filter((each) => each.subject !== subject);
      failures.push({
        workload,
        title: measured.title,
        subject: subject.id,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  };

  for (const subject of measured.subjects) {
    await attempt(subject, async () => {
      const opened = runs.use(new SubjectRun(workload, measured, subject, options));
      await opened.open();
      running.push(opened);
    });
  }
  const stolen = await stolenWhile(async () => {
    for (let round = measured.warmup ? -1 : 0; round < measured.rounds; round++) {
      if (round > 0 && performance.now() > options.deadline) break;
      const first = Math.max(round, 0) % Math.max(running.length, 1);
      for (const each of [...running.slice(first), ...running.slice(0, first)]) {
        options.signal.throwIfAborted();
        options.onTurn({ subject: each.subject, round });
        await attempt(each.subject, () => each.takeTurn(round >= 0));
      }
    }
  });
  const noted = [...disturbances, ...stolen];
  return { measurements: running.flatMap((each) => each.measurements(noted)), failures };
}

async function restOrThrow({ strict }: CaseOptions): Promise<string[]> {
  const reasons = await loadOfOthers();
  if (strict && reasons.length > 0) throw new HostBusy(reasons);
  return reasons;
}

/** The host does something else, so figures would mean nothing. */
export class HostBusy extends Error {
  override readonly name = "HostBusy";

  constructor(reasons: readonly string[]) {
    super(`the host is not at rest: ${reasons.join("; ")}; end what runs there, or leave out --strict`);
  }
}

/** The threads of one subject of a case. */
class SubjectRun implements AsyncDisposable {
  readonly subject: Subject;
  readonly #workload: WorkloadName;
  readonly #case: Case;
  readonly #options: CaseOptions;
  readonly #scratch: Scratch;
  readonly #threads: readonly TrialThread[];
  #operations: readonly SentOperation[] = [];
  readonly #rounds = new Map<SentOperation, MeasuredRound[]>();

  constructor(workload: WorkloadName, measured: Case, subject: Subject, options: CaseOptions) {
    this.#workload = workload;
    this.#case = measured;
    this.subject = subject;
    this.#options = options;
    this.#scratch = new Scratch(subject.directory);
    this.#threads = Array.from({ length: measured.threads }, () => new TrialThread());
  }

  async open(): Promise<void> {
    const [first] = this.#threads;
    await first?.setUp(this.#workload, this.#context(0));
    for (const [index, thread] of this.#threads.entries()) {
      this.#operations = await thread.open(this.#workload, this.#context(index));
    }
    for (const operation of this.#operations) this.#rounds.set(operation, []);
  }

  /** Do each operation in all threads at once, as often as a round asks for. */
  async takeTurn(counts: boolean): Promise<void> {
    if (this.#case.settle) await run("sync", []);
    for (const [index, operation] of this.#operations.entries()) {
      if (this.#options.cold) await dropPageCache();
      const measuresWrites = operation.countsWrites && this.#threads.length === 1;
      const before = measuresWrites ? await deviceWrittenBytes(this.subject.directory) : 0;
      const iterations = this.#iterations;
      const ran = await Promise.all(this.#threads.map((thread) => thread.run(index, iterations)));
      const after = measuresWrites ? await deviceWrittenBytes(this.subject.directory) : 0;
      if (!counts) continue;
      const began = Math.min(...ran.map(({ startedAtMilliseconds }) => startedAtMilliseconds));
      const ended = Math.max(...ran.map(({ endedAtMilliseconds }) => endedAtMilliseconds));
      const peaks = ran.flatMap(({ peakBytes }) => peakBytes ?? []);
      this.#rounds.get(operation)?.push({
        wallMilliseconds: ended - began,
        samplesMilliseconds: ran.flatMap(({ samplesMilliseconds }) => samplesMilliseconds),
        ...(measuresWrites && { writtenBytes: after - before }),
        ...(peaks.length > 0 && { peakBytes: Math.max(...peaks) }),
      });
    }
  }

  measurements(disturbances: readonly string[]): Measurement[] {
    const { title, parameters, threads } = this.#case;
    return [...this.#rounds].map(([{ name, work }, rounds]) => ({
      workload: this.#workload,
      title,
      parameters: { ...parameters },
      threads,
      subject: this.subject.id,
      operation: name,
      ...(work.bytes !== undefined && { workBytes: work.bytes }),
      ...(work.files !== undefined && { workFiles: work.files }),
      rounds,
      statistics: statisticsOf(rounds.flatMap(({ samplesMilliseconds }) => samplesMilliseconds)),
      disturbances: [...disturbances],
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
    } finally {
      await this.#scratch[Symbol.asyncDispose]();
    }
  }

  get #iterations(): number {
    return this.#options.cold ? 1 : this.#case.iterations;
  }

  #context(thread: number): SentContext {
    const { scale, seed, datasets, command, archive } = this.#options;
    return {
      parameters: this.#case.parameters,
      subject: this.subject,
      scale,
      seed,
      iterations: this.#iterations,
      thread,
      threads: this.#case.threads,
      directory: this.#scratch.path,
      datasets,
      command,
      ...(archive !== undefined && { archive }),
    };
  }
}
