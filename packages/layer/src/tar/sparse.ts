import { badArchive, number } from "./header.ts";
import { parseDecimal } from "./pax.ts";

/** A run of stored bytes in a sparse file; all between the runs is holes. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

const newline = 0x0a;

/**
 * Read up to `slots` entries of 24 bytes of a GNU sparse header or its extension; an empty one ends the map.
 * @see GNU tar manual, "Old GNU Format"
 */
export function readGnuSlots(block: Buffer, offset: number, slots: number): Segment[] {
  const segments: Segment[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const at = offset + 24 * slot;
    if (block[at] === 0 || block[at + 12] === 0) break;
    segments.push({
      offset: number(block, at, 12, "sparse map"),
      length: number(block, at + 12, 12, "sparse map"),
    });
  }
  return segments;
}

/** The map of the PAX formats 0.0 and 0.1: offsets and lengths in turn. */
export function pairUp(numbers: readonly string[]): Segment[] {
  if (numbers.length % 2 !== 0) throw badArchive("a sparse map has an odd number of numbers");
  const segments: Segment[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    segments.push({ offset: mapNumber(numbers[at]), length: mapNumber(numbers[at + 1]) });
  }
  return segments;
}

function mapNumber(text: string | undefined): number {
  const value = parseDecimal(text ?? "");
  if (value === undefined) throw badArchive("a sparse map holds something that is not a number");
  return value;
}

/**
 * The map of the PAX format 1.0, which stands in front of the file's data: a count, then offsets and lengths, one
 * number a line, filled up to a whole block. Collected block by block, until it is whole.
 */
export class LeadingSparseMap {
  readonly #blocks: Buffer[] = [];
  #newlines = 0;

  /** Take the next block. @returns the map, once this was its last block */
  add(block: Buffer): Segment[] | undefined {
    this.#blocks.push(Buffer.from(block));
    for (const byte of block) if (byte === newline) this.#newlines++;
    const [first] = this.#blocks;
    const countEnd = first?.indexOf(newline) ?? -1;
    if (first === undefined || countEnd < 0) throw badArchive("a sparse map does not begin with a count");
    const needed = 1 + 2 * mapNumber(first.toString("latin1", 0, countEnd));
    if (this.#newlines < needed) return undefined;
    return pairUp(Buffer.concat(this.#blocks).toString("latin1").split("\n", needed).slice(1));
  }
}

/**
 * Check a map against what its header says, so that nothing is ever written outside the file's size.
 * @param stored - bytes of data in the archive
 * @param size - bytes of the file, holes included
 * @throws StrataError `InvalidArgument`
 */
export function checkSegments(segments: readonly Segment[], stored: number, size: number): void {
  let end = 0;
  let total = 0;
  for (const { offset, length } of segments) {
    if (offset < end || length < 0) throw badArchive("the runs of a sparse map overlap");
    end = offset + length;
    total += length;
  }
  if (end > size || total !== stored) throw badArchive("a sparse map does not fit its file");
}
