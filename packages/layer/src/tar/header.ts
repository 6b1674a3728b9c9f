import { StrataError } from "@strata/core";
import type { Device } from "@strata/linux";
import { blockSize } from "./tar-writer.ts";

/** The fields of one header block, as they stand there. */
export interface TarHeader {
  /** Prefix included, where the format has one. */
  readonly name: Buffer;
  /** One character; "\0" in archives older than POSIX. */
  readonly typeFlag: string;
  /** Permission bits, without the file type that some writers put there. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Whole seconds. */
  readonly mtime: number;
  readonly linkName: Buffer;
  readonly rdev: Device;
}

/** The error for an archive that is not a tar, or not a whole one. */
export function badArchive(what: string): StrataError {
  return new StrataError(
    "InvalidArgument",
    `not a valid layer: ${what}; the file is damaged or not a tar archive`,
  );
}

/** Whether the block is all zeros: two of these end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(zeroBlock);
}
const zeroBlock = Buffer.alloc(blockSize);

/**
 * Decode a header block of any format: v7, ustar, PAX, GNU, star.
 * @throws StrataError `InvalidArgument`, if the checksum or a field is wrong
 * @see POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"
 */
export function decodeHeader(block: Buffer): TarHeader {
  verifyChecksum(block);
  return {
    name: joinPrefix(prefixOf(block), text(block, 0, 100)),
    typeFlag: String.fromCharCode(block[156] ?? 0),
    mode: number(block, 100, 8, "mode") & 0o7777,
    uid: number(block, 108, 8, "uid"),
    gid: number(block, 116, 8, "gid"),
    size: number(block, 124, 12, "size"),
    mtime: number(block, 136, 12, "mtime"),
    linkName: text(block, 157, 100),
    rdev: hasDevice(block)
      ? { major: number(block, 329, 8, "devmajor"), minor: number(block, 337, 8, "devminor") }
      : { major: 0, minor: 0 },
  };
}

/** The bytes of a field up to its first NUL, copied out of the block. */
export function text(block: Buffer, offset: number, width: number): Buffer {
  const nul = block.indexOf(0, offset);
  const end = nul < 0 || nul > offset + width ? offset + width : nul;
  return Buffer.from(block.subarray(offset, end));
}

/**
 * A number: octal digits between spaces and NULs or, with the first bit set, base 256 (GNU and star, in any format).
 * @throws StrataError `InvalidArgument`
 */
export function number(block: Buffer, offset: number, width: number, field: string): number {
  const value = parseNumber(block, offset, width);
  if (value === undefined) throw badArchive(`the ${field} of a header is not a number`);
  return value;
}

function parseNumber(block: Buffer, offset: number, width: number): number | undefined {
  const end = offset + width;
  const first = block[offset] ?? 0;
  if ((first & 0x80) !== 0) return parseBase256(block, offset, end, first);
  let at = offset;
  while (at < end && isBlank(block[at])) at++;
  let value = 0;
  for (; at < end && !isBlank(block[at]); at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  while (at < end && isBlank(block[at])) at++;
  return at === end && Number.isSafeInteger(value) ? value : undefined;
}

/** Two's complement, big-endian; the first bit is the mark, the second the sign. */
function parseBase256(block: Buffer, offset: number, end: number, first: number): number | undefined {
  let value = (first & 0x40) === 0 ? first & 0x3f : (first & 0x3f) - 0x40;
  for (let at = offset + 1; at < end; at++) value = value * 256 + (block[at] ?? 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

/** The sum of all bytes, the sum's own field taken as spaces; some old writers summed them as signed. */
function verifyChecksum(block: Buffer): void {
  let sum = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < blockSize; at++) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    sum += byte;
    high += byte >> 7;
  }
  const stated = parseNumber(block, 148, 8);
  if (stated !== sum && stated !== sum - 256 * high) throw badArchive("a header's checksum is wrong");
}

const ustarMagic = Buffer.from("ustar\0");
const gnuMagic = Buffer.from("ustar  \0");
const starTrailer = Buffer.from("tar\0");

function has(block: Buffer, offset: number, magic: Buffer): boolean {
  return block.compare(magic, 0, magic.length, offset, offset + magic.length) === 0;
}

function hasDevice(block: Buffer): boolean {
  return has(block, 257, ustarMagic) || has(block, 257, gnuMagic);
}

function prefixOf(block: Buffer): Buffer {
  if (block[345] === 0) return empty;
  if (has(block, 257, ustarMagic)) return text(block, 345, has(block, 508, starTrailer) ? 131 : 155);
  if (has(block, 257, gnuMagic) && isMisplacedPrefix(block)) return text(block, 345, 155);
  return empty;
}
const empty = Buffer.alloc(0);

/**
 * GNU's format has times where ustar has the prefix. Go before 1.8, and so docker of that time, put a prefix there all
 * the same: what cannot be a time but is ASCII, is one.
 */
function isMisplacedPrefix(block: Buffer): boolean {
  const times = parseNumber(block, 345, 12) !== undefined && parseNumber(block, 357, 12) !== undefined;
  return !times && text(block, 345, 155).every((byte) => byte < 0x80);
}

function joinPrefix(prefix: Buffer, name: Buffer): Buffer {
  return prefix.length === 0 ? name : Buffer.concat([prefix, slash, name]);
}
const slash = Buffer.from("/");
