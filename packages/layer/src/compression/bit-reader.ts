/** Reads bits, the highest of a byte first, as bzip2 writes them. */
export class BitReader {
  readonly #bytes: Buffer;
  #at: number;
  #bits = 0;
  #count = 0;

  /** @param position - of the first bit in `bytes` */
  constructor(bytes: Buffer, position: number) {
    this.#bytes = bytes;
    this.#at = position >> 3;
    if ((position & 7) !== 0) this.read(position & 7);
  }

  /** The position of the next bit. */
  get position(): number {
    return 8 * this.#at - this.#count;
  }

  /** Whether more bits were read than there are; those beyond are zeros. */
  get overrun(): boolean {
    return this.position > 8 * this.#bytes.length;
  }

  /** The next `count` bits, at most 24, without moving on. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#bits = ((this.#bits << 8) | (this.#bytes[this.#at++] ?? 0)) & 0x7fff_ffff;
      this.#count += 8;
    }
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** Move on by bits that were peeked at. */
  skip(count: number): void {
    this.#count -= count;
  }

  /** The next `count` bits, at most 24. */
  read(count: number): number {
    const value = this.peek(count);
    this.#count -= count;
    return value;
  }

  /** The next 32 bits, unsigned. */
  read32(): number {
    return this.read(16) * 0x1_0000 + this.read(16);
  }
}
