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
  /** Components of a path. @defaultValue 512 */
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
