import type { Duplex } from "node:stream";
import { GeneratorDuplex } from "./compression/generator-duplex.ts";

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

type Decoder = (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>;

/** Each is loaded when it is first needed: a thread that inflates gzip starts without the others. */
const decoders: Readonly<Record<Exclude<Compression, "none">, () => Promise<Decoder>>> = {
  gzip: async () => (await import("./compression/gunzip.ts")).gunzip,
  bzip2: async () => (await import("./compression/bunzip2.ts")).bunzip2,
  xz: async () => (await import("./compression/unxz.ts")).unxz,
  zstd: async () => (await import("./compression/unzstd.ts")).unzstd,
};

/**
 * The bytes that compressed ones stand for. Concatenated members, streams and frames are taken as one. Memory: some
 * megabytes, or what the compressor's window asks for (xz and zstd), at most 128 MiB.
 * @throws StrataError `Corrupt`, for a truncated stream or a wrong checksum
 */
export function decompress(compression: Compression, source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  return compression === "none" ? source : decode(compression, source);
}

/** Writes what chunks stand for into the memory it is given; each chunk is used up before it asks for the next. */
export type DecoderHere = (source: Iterable<Buffer>, room: (wanted: number) => Buffer) => Iterable<Buffer>;

/**
 * A decoder that works in this thread, without memory of its own and with a result like {@link decompress}; undefined,
 * where there is none, or no faster one. For threads that have nothing else to do.
 */
export async function decompressorHere(
  compression: Exclude<Compression, "none">,
): Promise<DecoderHere | undefined> {
  if (compression !== "gzip") return undefined;
  const { openIsal } = await import("./compression/isal.ts");
  const isal = openIsal();
  if (isal === undefined) return undefined;
  const { gunzipMembers } = await import("./compression/gunzip-members.ts");
  return (source, room) => gunzipMembers(source, isal, room);
}

async function* decode(
  compression: Exclude<Compression, "none">,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const decoder = await decoders[compression]();
  yield* decoder(source);
}

/** {@link decompress} as a stream: write compressed bytes into it, read what they stand for. */
export function decompressor(compression: Compression): Duplex {
  return new GeneratorDuplex((input) => decompress(compression, input));
}
