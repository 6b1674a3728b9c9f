import type { Capabilities } from "@strata/core";

/** How much is measured: below two minutes, some minutes, or as long as it takes. */
export type Scale = "quick" | "standard" | "full";

/** In the order in which they are measured. */
export const workloadNames = [
  "apply",
  "copy-up",
  "hashing",
  "lifecycle",
  "changes",
  "read",
  "store",
  "registry",
] as const;

/** What `strata bench` takes as a workload. */
export type WorkloadName = (typeof workloadNames)[number];

/** A driver of Strata's, on one file system. */
export interface DriverSubject {
  readonly kind: "driver";
  /** What it is called in results: `overlay2`, or `vfs on xfs (loop)`. */
  readonly id: string;
  readonly driver: string;
  /** Where a thread imports its factory from. */
  readonly module: { readonly url: string; readonly factory: string };
  readonly capabilities: Capabilities;
  /** A directory on the file system that it is measured on. */
  readonly directory: string;
  /** The type of that file system. */
  readonly fileSystem: string;
  /** Whether the file system was made in a file, for lack of one. */
  readonly loop: boolean;
}

/** A tool of the host, or the program that shows what the kernel can do at most. */
export interface PeerSubject {
  readonly kind: "peer";
  /** `podman`, `tar`, `calibration`. */
  readonly id: string;
  readonly version: string;
  /** A directory on the file system that it is measured on. */
  readonly directory: string;
  readonly fileSystem: string;
  readonly loop: boolean;
}

/** What takes part in a measurement. */
export type Subject = DriverSubject | PeerSubject;

/** What tells one case of a workload from the others; the same for all subjects. */
export type Parameters = Readonly<Record<string, string | number | boolean>>;

/** What there is to measure with. */
export interface Scope {
  readonly scale: Scale;
  readonly subjects: readonly Subject[];
  /** The numbers of threads to measure with, rising from 1. */
  readonly threads: readonly number[];
  /** An archive to use in place of made data. */
  readonly archive?: string;
}

/** One thing that is measured, of several subjects side by side. */
export interface Case {
  /** In words, without the subject: `gzip layers, many small files`. */
  readonly title: string;
  readonly parameters: Parameters;
  readonly subjects: readonly Subject[];
  /** How many threads do it at the same time. */
  readonly threads: number;
  /** How often each thread does each operation in a round. With a cold cache, once. */
  readonly iterations: number;
  readonly rounds: number;
  /** Begin with a round that does not count. */
  readonly warmup: boolean;
  /** Write everything dirty to disk before each subject's turn, so that none pays for another's. */
  readonly settle: boolean;
  /** About how long one subject's turn takes, in seconds: for the estimate of what is left. */
  readonly turnSeconds: number;
}

/** What a thread is told of the case that it takes part in. */
export interface TrialContext {
  readonly parameters: Parameters;
  readonly subject: Subject;
  readonly scale: Scale;
  /** Made data come from it. */
  readonly seed: number;
  readonly iterations: number;
  /** Counts from 0. */
  readonly thread: number;
  readonly threads: number;
  /** Empty at first, on the subject's file system, one for all threads; it is removed after the case. */
  readonly directory: string;
  /** Where data sets are kept for the whole run; see `dataset/`. */
  readonly datasets: string;
  readonly archive?: string;
  /** The `strata` command: the program and its first arguments. */
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}

/** What one iteration of an operation handles. */
export interface Work {
  readonly bytes?: number;
  readonly files?: number;
}

/** Something that is timed. */
export interface Operation {
  /** `apply`, `prepare`, `open`: the same for all subjects of a case. */
  readonly name: string;
  readonly work?: Work;
  /** Also measure what the block device wrote, sync included. Only one thread can do that. */
  readonly countsWrites?: boolean;
  /**
   * What is timed. May return tinybench's `{ overriddenDuration }`, in milliseconds, where it knows better how long it
   * took, and `{ peakBytes }`, as a `CommandResult` has it, the most memory that what it ran had resident.
   */
  run(): unknown;
  /** Before each iteration, not timed. */
  before?(): unknown;
  /** After each iteration, not timed. */
  after?(): unknown;
}

/** What one thread does for one subject of a case: its operations, one after the other, in each round. */
export interface Trial extends AsyncDisposable {
  readonly operations: readonly Operation[];
}

/** A family of measurements. The main thread asks it for its cases; threads open them. */
export interface Workload {
  /** In words, for headings. */
  readonly title: string;
  /** One sentence: what is timed, and what is not. */
  readonly summary: string;
  /** Programs of the host that it takes. Where one is missing it is left out, and results say so. */
  readonly needs?: readonly string[];
  cases(scope: Scope): readonly Case[];
  /** Make what all threads of a subject share. Called once, in a thread, before any of them opens its trial. */
  setUp?(context: TrialContext): Promise<void>;
  open(context: TrialContext): Promise<Trial>;
}
