import { BitReader } from "./bit-reader.ts";
import { ByteReader } from "./byte-reader.ts";
import { type Bzip2Block, decodeBlock, expandBlock } from "./bzip2-block.ts";
import { damaged, truncated } from "./damaged.ts";

const blockMagic = [0x314159, 0x265359] as const;
const endMagic = [0x177245, 0x385090] as const;

/**
 * Decompress bzip2, of several streams too, verifying each block's and each stream's CRC. Memory: a block (900 kB)
 * and its 3.6 MB of working space, however much it expands to.
 */
export async function* bunzip2(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source);
  while ((await reader.peek(1)).length > 0) {
    const head = await reader.take(4);
    if (head === undefined) throw truncated("bzip2");
    const level = (head[3] ?? 0) - 0x30;
    if (head.toString("latin1", 0, 3) !== "BZh" || level < 1 || level > 9) {
      throw damaged("bzip2", "a stream does not begin with the magic number");
    }
    yield* stream(reader, level * 100_000);
  }
}

async function* stream(reader: ByteReader, blockBytes: number): AsyncGenerator<Buffer> {
  const space = new Uint32Array(blockBytes);
  let combined = 0;
  // Blocks begin at any bit: this many of the reader's next byte are used already.
  let usedBits = 0;
  for (;;) {
    const { part, position } = await nextPart(reader, usedBits, space);
    reader.skip(position >> 3);
    usedBits = position & 7;
    if (part.kind === "end") {
      if (part.crc !== combined) throw damaged("bzip2", "a checksum is wrong");
      // The next stream begins at a whole byte.
      if (usedBits > 0) reader.skip(1);
      return;
    }
    yield* expandBlock(part.block, space);
    combined = (((combined << 1) | (combined >>> 31)) ^ part.block.crc) >>> 0;
  }
}

type Part =
  | { readonly kind: "block"; readonly block: Bzip2Block }
  | { readonly kind: "end"; readonly crc: number };

/**
 * A block does not say how long it is. So it is decoded from what should be enough, and again from twice as much if
 * it was not.
 */
async function nextPart(
  reader: ByteReader,
  usedBits: number,
  space: Uint32Array,
): Promise<{ part: Part; position: number }> {
  for (let wanted = space.length + 50_000; ; wanted *= 2) {
    const bits = new BitReader(await reader.peek(wanted), usedBits);
    const part = tryPart(bits, space);
    if (part instanceof Error && !bits.overrun) throw part;
    if (!(part instanceof Error) && !bits.overrun) return { part, position: bits.position };
    if (reader.ended) throw truncated("bzip2");
  }
}

function tryPart(bits: BitReader, space: Uint32Array): Part | Error {
  try {
    return readPart(bits, space);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function readPart(bits: BitReader, space: Uint32Array): Part {
  const magic = [bits.read(24), bits.read(24)];
  if (magic[0] === endMagic[0] && magic[1] === endMagic[1]) return { kind: "end", crc: bits.read32() };
  if (magic[0] !== blockMagic[0] || magic[1] !== blockMagic[1]) {
    throw damaged("bzip2", "a block does not begin with the magic number");
  }
  return { kind: "block", block: decodeBlock(bits, space) };
}
