import { Decompress, type ZstdStreamHandler } from "fzstd";
import xxhash from "xxhash-wasm";
import { ByteReader } from "./byte-reader.ts";
import { damaged, truncated } from "./damaged.ts";

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const maxBlockBytes = 128 * 1024;
// What `zstd -d` takes without being told to take more.
const maxWindowBytes = 128 * 1024 * 1024;

/**
 * Decompress zstd, of several frames too. fzstd decodes blocks but neither verifies checksums nor bounds its memory,
 * so frames are taken apart here and given to it block by block.
 * @see RFC 8878, section 3, "Compression Algorithm"
 */
export async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source);
  const { create64 } = await xxhash();
  while ((await reader.peek(1)).length > 0) {
    const magic = (await take(reader, 4)).readUInt32LE();
    if (magic === frameMagic) yield* frame(reader, create64());
    else if ((magic & ~0xf) >>> 0 === skippableMagic) await skip(reader);
    else throw damaged("zstd", "a frame does not begin with the magic number");
  }
}

interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): bigint;
}

async function* frame(reader: ByteReader, hash: Hash): AsyncGenerator<Buffer> {
  const header = await frameHeader(reader);
  let output: Uint8Array[] = [];
  const collect: ZstdStreamHandler = (bytes) => output.push(bytes);
  const decoder = new Decompress(collect);
  push(decoder, header.bytes, false);
  for (let last = false; !last; ) {
    const start = await take(reader, 3);
    const bits = start.readUIntLE(0, 3);
    last = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === 3 || size > maxBlockBytes) throw damaged("zstd", "a block's header is wrong");
    // A block of type 1 is one byte, repeated.
    const content = await take(reader, type === 1 ? 1 : size);
    const checksum = last && header.hasChecksum ? await take(reader, 4) : undefined;
    push(decoder, Buffer.concat([start, content, ...(checksum ? [checksum] : [])]), last);
    for (const bytes of output) {
      if (header.hasChecksum) hash.update(bytes);
      yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    output = [];
    if (checksum && Number(hash.digest() & 0xffff_ffffn) !== checksum.readUInt32LE()) {
      throw damaged("zstd", "a checksum is wrong");
    }
  }
}

interface FrameHeader {
  readonly bytes: Buffer;
  readonly hasChecksum: boolean;
}

/** @see RFC 8878, section 3.1.1.1, "Frame Header" */
async function frameHeader(reader: ByteReader): Promise<FrameHeader> {
  const descriptor = (await reader.peek(1))[0] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const window = single ? 0 : 1;
  const fields = await take(reader, 1 + window + dictionaryBytes + sizeBytes);
  if (fields.subarray(1 + window, 1 + window + dictionaryBytes).some((byte) => byte !== 0)) {
    throw damaged("zstd", "they need a dictionary, which a layer cannot have");
  }
  const windowBytes = single ? contentSize(fields, sizeBytes) : windowSize(fields[1] ?? 0);
  if (windowBytes > maxWindowBytes) {
    throw damaged(
      "zstd",
      `they need a window of ${windowBytes} bytes, more than the ${maxWindowBytes} that are taken`,
    );
  }
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(frameMagic);
  return { bytes: Buffer.concat([magic, fields]), hasChecksum: (descriptor & 4) !== 0 };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(fields: Buffer, bytes: number): number {
  const at = fields.length - bytes;
  if (bytes === 8) return Number(fields.readBigUInt64LE(at));
  return fields.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}

function push(decoder: Decompress, bytes: Buffer, final: boolean): void {
  try {
    decoder.push(bytes, final);
  } catch (error) {
    throw damaged("zstd", error instanceof Error ? error.message : String(error), error);
  }
}

async function skip(reader: ByteReader): Promise<void> {
  let left = (await take(reader, 4)).readUInt32LE();
  while (left > 0) {
    const available = (await reader.peek(1)).length;
    if (available === 0) throw truncated("zstd");
    const length = Math.min(left, available);
    reader.skip(length);
    left -= length;
  }
}

async function take(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = await reader.take(length);
  if (bytes === undefined) throw truncated("zstd");
  return bytes;
}
