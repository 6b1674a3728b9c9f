import { type Digest, isStrataError } from "@strata/core";
import type { Compression } from "../compression.ts";

/** What is in a layer's blob, and what the blob is. */
export interface LayerContent {
  /** Bytes in the blob. */
  readonly size: number;
  readonly compression: Compression;
  /**
   * The uncompressed archive, piece by piece; each is valid until the next is asked for.
   * @throws StrataError `Corrupt`, if it cannot be decompressed; `InvalidArgument`, beyond a limit
   */
  chunks(): AsyncIterable<Buffer> | Iterable<Buffer>;
  /** Of the uncompressed archive, after the last of the chunks. */
  diffId(): Digest;
  /** Of the blob. What was not read of it yet is read now, and not decompressed. */
  blob(): Digest;
  /** Stop reading, and give back what it takes. */
  close(): void;
}

/** Whether an error can come from what is in the blob, so that a wrong blob would explain it. */
export function isContentError(error: unknown): boolean {
  return isStrataError(error, "InvalidArgument") || isStrataError(error, "Corrupt");
}
