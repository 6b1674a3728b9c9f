import type { TrialContext, Work } from "../workload.ts";
import type { WorkloadReference } from "../workloads/index.ts";

/** What the main thread asks of one that measures. Each is answered, in order. */
export type Request =
  | { readonly kind: "set up"; readonly workload: WorkloadReference; readonly context: SentContext }
  | { readonly kind: "open"; readonly workload: WorkloadReference; readonly context: SentContext }
  | { readonly kind: "prepare"; readonly operation: number }
  | {
      readonly kind: "run";
      readonly operation: number;
      readonly iterations: number;
      /** What comes before the first iteration has been done. */
      readonly prepared: boolean;
    }
  | { readonly kind: "close" };

export type Reply =
  | { readonly kind: "set up" | "prepared" | "closed" }
  | { readonly kind: "opened"; readonly operations: readonly SentOperation[] }
  | ({ readonly kind: "ran" } & OperationRun)
  | { readonly kind: "failed"; readonly message: string };

/** A request, or word that what was asked is to end: that is not answered. */
export type Message = { readonly id: number; readonly request: Request } | "abort";

/** The answer to the request of the same id. */
export interface Answer {
  readonly id: number;
  readonly reply: Reply;
}

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
