import { StrataError } from "@strata/core";

/**
 * What a layer's archive may ask for. Beyond any of these, apply fails with `InvalidArgument`; the message names
 * the limit and the option that raises it.
 */
export interface Limits {
  /**
   * Bytes of the uncompressed archive, and of all its files together (which differ if it holds sparse files).
   * @defaultValue 64 GiB
   */
  readonly maxBytes: number;
  /** Entries, whiteouts included. @defaultValue 2,000,000 */
  readonly maxEntries: number;
  /**
   * Uncompressed bytes for each compressed byte; not judged below 64 MiB of output.
   * @defaultValue 500
   */
  readonly maxRatio: number;
  /** Directories that an entry may lie in, one in the other. @defaultValue 512 */
  readonly maxDepth: number;
  /** Bytes of the extended headers (PAX records, long names, sparse map) of one entry. @defaultValue 1 MiB */
  readonly maxHeaderBytes: number;
}

/** The limits that hold where none are given. */
export const defaultLimits: Limits = {
  maxBytes: 64 * 2 ** 30,
  maxEntries: 2_000_000,
  maxRatio: 500,
  maxDepth: 512,
  maxHeaderBytes: 2 ** 20,
};

/** Below this much output a ratio says little: a few kilobytes of zeros already compress a thousandfold. */
export const ratioJudgedFromBytes: number = 64 * 2 ** 20;

const words: Readonly<Record<keyof Limits, (limit: string) => string>> = {
  maxBytes: (limit) => `unpacks to more than ${limit} bytes`,
  maxEntries: (limit) => `has more than ${limit} entries`,
  maxRatio: (limit) => `unpacks to more than ${limit} times its compressed size`,
  maxDepth: (limit) => `has an entry that lies more than ${limit} directories deep`,
  maxHeaderBytes: (limit) => `has an entry with more than ${limit} bytes of extended headers`,
};

const flags: Readonly<Record<keyof Limits, string>> = {
  maxBytes: "--max-bytes",
  maxEntries: "--max-entries",
  maxRatio: "--max-ratio",
  maxDepth: "--max-depth",
  maxHeaderBytes: "--max-header-bytes",
};

/** The error for an archive that asks for more than `limits[name]`. */
export function limitExceeded(limits: Limits, name: keyof Limits): StrataError {
  const limit = limits[name];
  return new StrataError(
    "InvalidArgument",
    `the layer ${words[name](limit.toLocaleString("en-US"))} (${name}); ` +
      `if you trust where it comes from, raise the limit with ${flags[name]}`,
  );
}
