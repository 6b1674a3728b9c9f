import { damaged, truncated } from "./damaged.ts";
import type { PulledBytes } from "./pulled-bytes.ts";

type Crc32 = (crc: number, bytes: Uint8Array, length: number) => number;

// FLG of RFC 1952, section 2.3.1.
const headerCrc = 2;
const extra = 4;
const name = 8;
const comment = 16;
const reserved = 0xe0;

/**
 * Read the header of a gzip member, however it is cut into chunks, as strictly as zlib. (ISA-L's own reader forgets
 * the flags where a chunk ends, and takes reserved ones.)
 * @throws StrataError `Corrupt`
 */
export function readGzipHeader(input: PulledBytes, crc32: Crc32): void {
  const fields = new HeaderFields(input, crc32);
  if (fields.bytes(2) !== 0x8b1f) throw damaged("gzip", "a member does not begin with the magic number");
  if (fields.bytes(1) !== 8) throw damaged("gzip", "the compression method is unknown");
  const flags = fields.bytes(1);
  if ((flags & reserved) !== 0) throw damaged("gzip", "a header has unknown flags");
  fields.skip(6);
  if ((flags & extra) !== 0) fields.skip(fields.bytes(2));
  if ((flags & name) !== 0) fields.skipString();
  if ((flags & comment) !== 0) fields.skipString();
  if ((flags & headerCrc) === 0) return;
  const expected = fields.crc & 0xffff;
  if (fields.bytes(2) !== expected) throw damaged("gzip", "a header's checksum is wrong");
}

/** Takes fields off the input, and a checksum of all of them. */
class HeaderFields {
  readonly #input: PulledBytes;
  readonly #crc32: Crc32;
  crc = 0;

  constructor(input: PulledBytes, crc32: Crc32) {
    this.#input = input;
    this.#crc32 = crc32;
  }

  /** A number of one or two bytes. */
  bytes(length: 1 | 2): number {
    let value = 0;
    for (let index = 0; index < length; index++) value |= (this.#some()[0] ?? 0) << (8 * index);
    return value;
  }

  skip(length: number): void {
    for (let left = length; left > 0; ) left -= this.#some(left).length;
  }

  /** Up to the zero that ends it, and that one. */
  skipString(): void {
    for (;;) {
      this.#fill();
      const zero = this.#input.rest.indexOf(0);
      this.#some(zero < 0 ? this.#input.rest.length : zero + 1);
      if (zero >= 0) return;
    }
  }

  /** The next bytes, `wanted` at most. */
  #some(wanted = 1): Buffer {
    this.#fill();
    const bytes = this.#input.rest.subarray(0, wanted);
    this.crc = this.#crc32(this.crc, bytes, bytes.length);
    this.#input.skip(bytes.length);
    return bytes;
  }

  #fill(): void {
    if (!this.#input.more()) throw truncated("gzip");
  }
}
