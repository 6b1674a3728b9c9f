import { type ErrorCode, isStrataError, StrataError } from "@strata/core";
import type { ApplyJob } from "./apply/apply-layer.ts";
import type { AppliedLayer } from "./apply/options.ts";

/** To a thread: apply this. One at a time. */
export interface JobMessage {
  readonly job: ApplyJob;
  /** Shared: not 0 at index 0 means that the job is to be aborted. */
  readonly abort: Int32Array;
}

/** From a thread: any number of `progress`, then one of the others. */
export type ReplyMessage =
  | { readonly kind: "progress"; readonly bytesRead: number }
  | { readonly kind: "done"; readonly layer: AppliedLayer }
  | { readonly kind: "aborted" }
  | { readonly kind: "failed"; readonly error: SentError };

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
