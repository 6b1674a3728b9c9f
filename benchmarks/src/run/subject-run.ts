import { Scratch } from "@strata/conformance/suite";
import { deviceWrittenBytes } from "../host/block-device.ts";
import { dropPageCache } from "../host/page-cache.ts";
import { run } from "../peers/command.ts";
import type { MeasuredRound, Measurement } from "../results/schema.ts";
import { statisticsOf } from "../results/statistics.ts";
import type { Case, Subject, TrialContext } from "../workload.ts";
import type { WorkloadReference } from "../workloads/index.ts";
import type { SentContext, SentOperation } from "./messages.ts";
import type { Turn } from "./progress.ts";
import { TrialThread } from "./trial-thread.ts";

export interface CaseOptions extends Pick<TrialContext, "scale" | "seed" | "datasets" | "command"> {
  readonly cold: boolean;
  /** A host that does something else is an error, not only noted. */
  readonly strict: boolean;
  readonly archive?: string;
  readonly signal: AbortSignal;
  /** After this, no further round is begun. In milliseconds of `performance.now()`. */
  readonly deadline: number;
  readonly onTurn: (turn: Turn) => void;
}

/** The threads of one subject of a case. */
export class SubjectRun implements AsyncDisposable {
  readonly subject: Subject;
  readonly #workload: WorkloadReference;
  readonly #case: Case;
  readonly #options: CaseOptions;
  readonly #scratch: Scratch;
  readonly #threads: readonly TrialThread[];
  #operations: readonly SentOperation[] = [];
  readonly #rounds = new Map<SentOperation, MeasuredRound[]>();
  #closing: Promise<void> | undefined;

  constructor(workload: WorkloadReference, measured: Case, subject: Subject, options: CaseOptions) {
    this.#workload = workload;
    this.#case = measured;
    this.subject = subject;
    this.#options = options;
    this.#scratch = new Scratch(subject.directory);
    this.#threads = Array.from({ length: measured.threads }, () => new TrialThread(options.signal));
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
    const { cold } = this.#options;
    for (const [index, operation] of this.#operations.entries()) {
      if (cold) {
        await this.#everyThread((thread) => thread.prepare(index));
        await dropPageCache();
      }
      const measuresWrites = operation.countsWrites && this.#threads.length === 1;
      const before = measuresWrites ? await deviceWrittenBytes(this.subject.directory) : 0;
      const iterations = this.#iterations;
      const ran = await this.#everyThread((thread) => thread.run(index, iterations, cold));
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

  /** The threads end before their directory goes. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#everyThread((thread) => thread[Symbol.asyncDispose]());
    } finally {
      await this.#scratch[Symbol.asyncDispose]();
    }
  }

  /** @throws the first error, after all threads are done: what goes on would be in the next subject's time */
  async #everyThread<T>(act: (thread: TrialThread) => Promise<T>): Promise<T[]> {
    const acts = this.#threads.map(act);
    await Promise.allSettled(acts);
    return await Promise.all(acts);
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
