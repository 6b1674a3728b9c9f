import type { Digest, LayerLayout } from "@strata/core";
import type { Compression } from "../compression.ts";
import type { Limits } from "../limits.ts";
import type { Unresolved } from "../settle.ts";

/** A byte range of a file: a blob, or a member of an uncompressed archive, which so need not be unpacked first. */
export interface LayerSource {
  readonly path: string;
  /** Where the range begins. @defaultValue 0 */
  readonly offset?: number;
  /** Bytes in the range. @defaultValue up to the end of the file */
  readonly length?: number;
  /**
   * The memory of `ArrivingBytes`: the file is being written still, from its beginning on. It must be there, and
   * `length` must be given. @defaultValue all bytes are there
   */
  readonly arriving?: SharedArrayBuffer;
}

/** What the layer is known to be. Whatever differs makes apply fail with `Corrupt`. */
export interface ExpectedLayer {
  /** Of the bytes as they are in the source, compressed or not. */
  readonly blob?: Digest;
  /** Bytes in the source. */
  readonly blobSize?: number;
  /** Of the uncompressed archive. */
  readonly diffId?: Digest;
}

export interface ApplyOptions {
  /** The layer's archive: a tar, plain or compressed (gzip, bzip2, xz, zstd), which is found out from its bytes. */
  readonly source: LayerSource;
  /** Where to write it: a snapshot just prepared, to which nothing else was written. */
  readonly layout: LayerLayout;
  /** Digests and size to verify. @defaultValue nothing is verified */
  readonly expected?: ExpectedLayer;
  /**
   * Also write the source's bytes, as they come, to a new file of this path. They are read once. It is the caller's
   * to delete after a failure. @defaultValue they are not kept
   */
  readonly keepAs?: string;
  /**
   * The layers below are not known yet (overlay layouts only; `layout.lowers` is not looked at). What depends on
   * them comes back as {@link AppliedLayer.unresolved} and is done by `settleLayer`. @defaultValue false
   */
  readonly lowersLater?: boolean;
  /**
   * Work without privileges: owners become the caller's, and what only root can make is left out, namely devices and
   * the xattrs in `trusted.` and `security.`. @defaultValue false
   */
  readonly ignoreOwnership?: boolean;
  /** @defaultValue `defaultLimits` */
  readonly limits?: Partial<Limits>;
  /** Aborts: apply rejects with the signal's reason, once nothing is being written any more. */
  readonly signal?: AbortSignal;
  /** Called about 20 times a second with the number of the source's bytes that were read so far. */
  readonly onProgress?: (bytesRead: number) => void;
}

/** What was applied. */
export interface AppliedLayer {
  /** The digest of the source's bytes. */
  readonly blob: Digest;
  readonly blobSize: number;
  /** The digest of the uncompressed archive, up to its last byte, whatever follows the end-of-archive mark. */
  readonly diffId: Digest;
  readonly compression: Compression;
  /** Bytes in the layer's regular files, holes included: what `docker history` calls SIZE. */
  readonly contentBytes: number;
  /** Entries in the archive, whiteouts included. */
  readonly entries: number;
  /** For `settleLayer`. Nothing, unless `lowersLater` was set. */
  readonly unresolved: Unresolved;
}
