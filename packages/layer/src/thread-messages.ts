import { type ErrorCode, isStrataError, StrataError } from "@strata/core";
import type { Feed } from "./apply/feed-layer.ts";
import type { ApplyJob } from "./apply/job.ts";
import type { AppliedLayer } from "./apply/options.ts";

/** To a thread: one at a time. */
export interface JobMessage {
  readonly job: ApplyJob;
  /** Shared: not 0 at index 0 means that the job is to be aborted. */
  readonly abort: Int32Array;
  /** Only for a layer that two threads share. */
  readonly feed?: Feed;
}

export interface ProgressMessage {
  readonly kind: "progress";
  readonly bytesRead: number;
}

/** From a thread that applies a layer, after any number of `progress`. */
export type ApplyReply =
  | { readonly kind: "done"; readonly layer: AppliedLayer }
  | { readonly kind: "aborted" }
  | { readonly kind: "failed"; readonly error: SentError };

/** From a thread that feeds one, after any number of `progress`: it has stopped. The other one knows what came of it. */
export interface FeedReply {
  readonly kind: "fed";
}

/** An error as it is sent: cloning by itself would lose its class, its code and all that it carries. */
export interface SentError {
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a StrataError. */
  readonly code: ErrorCode | undefined;
  /** Of a system error: code, errno, syscall, path. */
  readonly details: Readonly<Record<string, string | number>>;
  readonly cause: SentError | undefined;
}

export function packError(error: unknown): SentError {
  if (!(error instanceof Error)) return packError(new Error(String(error)));
  const details = Object.entries(error).filter(
    (field): field is [string, string | number] =>
      typeof field[1] === "string" || typeof field[1] === "number",
  );
  return {
    message: error.message,
    stack: error.stack,
    code: isStrataError(error) ? error.code : undefined,
    details: Object.fromEntries(details),
    cause: error.cause === undefined ? undefined : packError(error.cause),
  };
}

export function unpackError({ message, stack, code, details, cause }: SentError): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) };
  if (code !== undefined) return new StrataError(code, message, options);
  const error = Object.assign(new Error(message, options), details);
  if (stack !== undefined) error.stack = stack;
  return error;
}
