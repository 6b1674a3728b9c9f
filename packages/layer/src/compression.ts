import type { Duplex } from "node:stream";

/** How a blob's bytes are compressed. */
export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

const magics: readonly (readonly [Compression, Buffer])[] = [
  ["gzip", Buffer.from("1f8b", "hex")],
  ["bzip2", Buffer.from("BZh")],
  ["xz", Buffer.from("fd377a585a00", "hex")],
  ["zstd", Buffer.from("28b52ffd", "hex")],
];

/** Tell the compression from the first bytes of a stream: six are enough. Anything unknown is `none`. */
export function detectCompression(head: Buffer): Compression {
  return magics.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0] ?? "none";
}

/**
 * A stream that takes compressed bytes and gives the bytes they stand for. It takes concatenated members, frames and
 * streams, and fails on a truncated stream and on a wrong checksum.
 */
export function decompressor(compression: Exclude<Compression, "none">): Duplex {
  throw new Error(`no ${compression} yet`);
}
