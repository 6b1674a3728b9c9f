import type { ApplyOptions } from "./options.ts";

/** What of {@link ApplyOptions} can be sent to another thread. */
export type ApplyJob = Omit<ApplyOptions, "signal" | "onProgress">;

/** What the thread does meanwhile. */
export interface ApplyHooks {
  /** Called after each chunk of the source and of what comes out of it. What it throws ends the work. */
  readonly checkAbort: () => void;
  /** Called after each chunk of the source. What it throws ends the work. */
  readonly onProgress: (bytesRead: number) => void;
}

/** Thrown in a thread that is to stop: the other side knows why. */
export class JobAborted extends Error {}
