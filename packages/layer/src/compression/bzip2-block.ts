import type { BitReader } from "./bit-reader.ts";
import { damaged } from "./damaged.ts";

/*
 * The steps of a block, in the order of decoding: Huffman codes of several tables in turn, runs of the front symbol,
 * move-to-front, Burrows-Wheeler, and runs of four equal bytes and a count. There is no specification but the source
 * of bzip2 itself; names follow its decompress.c.
 */

/** A block whose bytes stand sorted in the working space. */
export interface Bzip2Block {
  /** Of the bytes it expands to. */
  readonly crc: number;
  readonly length: number;
  /** Where the walk through the working space begins. */
  readonly origin: number;
}

const maxCodeLength = 20;
const symbolsPerSelector = 50;
const runA = 0;
const runB = 1;

/**
 * Decode a block up to its Burrows-Wheeler transform into `space`.
 * @throws StrataError `Corrupt`; also if `bits` ran out, see {@link BitReader.overrun}
 */
export function decodeBlock(bits: BitReader, space: Uint32Array): Bzip2Block {
  const crc = bits.read32();
  if (bits.read(1) === 1) throw damaged("bzip2", "they are of an obsolete form (randomised blocks)");
  const origin = bits.read(24);
  const bytes = readUsedBytes(bits);
  const tableCount = bits.read(3);
  if (tableCount < 2 || tableCount > 6) throw damaged("bzip2", "a block's header is wrong");
  const selectors = readSelectors(bits, tableCount);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, bytes.length + 2));
  const length = readSymbols(bits, bytes, selectors, tables, space);
  if (origin >= length) throw damaged("bzip2", "a block's header is wrong");
  invertSort(space, length);
  return { crc, length, origin };
}

/** Which byte values occur: 16 bits say in which sixteenths, then 16 bits for each of these. */
function readUsedBytes(bits: BitReader): number[] {
  const sixteenths = bits.read(16);
  const used: number[] = [];
  for (let high = 0; high < 16; high++) {
    if ((sixteenths & (0x8000 >> high)) === 0) continue;
    const low = bits.read(16);
    for (let index = 0; index < 16; index++)
      if ((low & (0x8000 >> index)) !== 0) used.push(16 * high + index);
  }
  return used;
}

/** Which table is used for each 50 symbols, as move-to-front positions in unary. */
function readSelectors(bits: BitReader, tableCount: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  const order = Uint8Array.from({ length: tableCount }, (_, index) => index);
  for (let index = 0; index < selectors.length; index++) {
    let position = 0;
    while (bits.read(1) === 1) {
      if (++position >= tableCount) throw damaged("bzip2", "a block's header is wrong");
    }
    selectors[index] = moveToFront(order, position);
  }
  return selectors;
}

function moveToFront(order: Uint8Array, position: number): number {
  const value = order[position] ?? 0;
  order.copyWithin(1, 0, position);
  order[0] = value;
  return value;
}

/** A Huffman table, looked up by the next `width` bits: the symbol, and below it five bits of its code's length. */
interface Table {
  readonly width: number;
  readonly entries: Uint16Array;
}

/** A table is a list of code lengths, each as the difference from the one before. */
function readTable(bits: BitReader, symbols: number): Table {
  const lengths = new Uint8Array(symbols);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > maxCodeLength) throw damaged("bzip2", "a Huffman table is wrong");
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return buildTable(lengths);
}

function buildTable(lengths: Uint8Array): Table {
  const width = Math.max(...lengths);
  const entries = new Uint16Array(1 << width);
  let at = 0;
  for (let length = 1; length <= width; length++) {
    const span = 1 << (width - length);
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (at + span > entries.length) throw damaged("bzip2", "a Huffman table is wrong");
      entries.fill((symbol << 5) | length, at, at + span);
      at += span;
    }
  }
  return { width, entries };
}

/** Decode the symbols up to the end-of-block one. @returns how many bytes they stand for */
function readSymbols(
  bits: BitReader,
  bytes: readonly number[],
  selectors: Uint8Array,
  tables: readonly Table[],
  space: Uint32Array,
): number {
  const order = Uint8Array.from(bytes);
  const endOfBlock = bytes.length + 1;
  let length = 0;
  let run = 0;
  let runBit = 1;
  for (const selector of selectors) {
    const table = tables[selector];
    if (table === undefined) throw damaged("bzip2", "a block's header is wrong");
    const { width, entries } = table;
    for (let left = symbolsPerSelector; left > 0; left--) {
      const entry = entries[bits.peek(width)] ?? 0;
      if (entry === 0) throw damaged("bzip2", "a Huffman code is wrong");
      bits.skip(entry & 31);
      const symbol = entry >> 5;
      if (symbol === runA || symbol === runB) {
        run += runBit << symbol;
        runBit <<= 1;
        if (run > space.length) throw damaged("bzip2", "a block is too long");
        continue;
      }
      if (run > 0) {
        if (length + run > space.length) throw damaged("bzip2", "a block is too long");
        space.fill(order[0] ?? 0, length, length + run);
        length += run;
        run = 0;
        runBit = 1;
      }
      if (symbol === endOfBlock) return length;
      if (length >= space.length) throw damaged("bzip2", "a block is too long");
      space[length++] = moveToFront(order, symbol - 1);
    }
  }
  throw damaged("bzip2", "a block does not end");
}

/** Put into the upper 24 bits of each place where the byte after it is found. */
function invertSort(space: Uint32Array, length: number): void {
  const next = new Uint32Array(256);
  for (let at = 0; at < length; at++) {
    const byte = (space[at] ?? 0) & 0xff;
    next[byte] = (next[byte] ?? 0) + 1;
  }
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = next[byte] ?? 0;
    next[byte] = sum;
    sum += count;
  }
  for (let at = 0; at < length; at++) {
    const byte = (space[at] ?? 0) & 0xff;
    const to = next[byte] ?? 0;
    next[byte] = to + 1;
    space[to] = (space[to] ?? 0) | (at << 8);
  }
}

const chunkBytes = 256 * 1024;

/**
 * The bytes of a block, in pieces.
 * @throws StrataError `Corrupt`, after the last piece, if they do not have the block's CRC
 */
export function* expandBlock({ crc, length, origin }: Bzip2Block, space: Uint32Array): Generator<Buffer> {
  let chunk = Buffer.allocUnsafe(chunkBytes);
  let filled = 0;
  let state = 0xffff_ffff;
  let place = (space[origin] ?? 0) >>> 8;
  let previous = -1;
  let equal = 0;
  for (let left = length; left > 0; left--) {
    const step = space[place] ?? 0;
    const byte = step & 0xff;
    place = step >>> 8;
    // After four equal bytes stands how often the byte comes once more.
    let copies = 1;
    if (equal === 4) {
      copies = byte;
      equal = 0;
    } else {
      equal = byte === previous ? equal + 1 : 1;
      previous = byte;
    }
    for (; copies > 0; copies--) {
      state = (state << 8) ^ (crcTable[(state >>> 24) ^ previous] ?? 0);
      chunk[filled++] = previous;
      if (filled === chunkBytes) {
        yield chunk;
        chunk = Buffer.allocUnsafe(chunkBytes);
        filled = 0;
      }
    }
    if (equal === 0) previous = -1;
  }
  if (filled > 0) yield chunk.subarray(0, filled);
  if (~state >>> 0 !== crc) throw damaged("bzip2", "a checksum is wrong");
}

// CRC-32 with the highest bit first, unlike that of gzip and of Node's zlib.crc32.
const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc;
});
