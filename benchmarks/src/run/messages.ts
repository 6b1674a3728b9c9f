import type { TrialContext, Work, WorkloadName } from "../workload.ts";

/** What the main thread asks of one that measures; it waits for the answer before it asks again. */
export type Request =
  | { readonly kind: "set up"; readonly workload: WorkloadName; readonly context: SentContext }
  | { readonly kind: "open"; readonly workload: WorkloadName; readonly context: SentContext }
  | { readonly kind: "run"; readonly operation: number; readonly iterations: number }
  | { readonly kind: "abort" };

export type Reply =
  | { readonly kind: "set up" }
  | { readonly kind: "opened"; readonly operations: readonly SentOperation[] }
  | ({ readonly kind: "ran" } & OperationRun)
  | { readonly kind: "closed" }
  | { readonly kind: "failed"; readonly message: string };

export type SentContext = Omit<TrialContext, "signal">;

export interface SentOperation {
  readonly name: string;
  readonly work: Work;
  readonly countsWrites: boolean;
}

/** One thread's share of an operation in a round. */
export interface OperationRun {
  readonly samplesMilliseconds: readonly number[];
  /** Since the epoch, on one clock for all threads. */
  readonly startedAtMilliseconds: number;
  readonly endedAtMilliseconds: number;
  /** The most of what its iterations said of it. */
  readonly peakBytes?: number;
}
