const nothing = Buffer.alloc(0);

/** The bytes of chunks that are asked for when those before are used up: each has to be valid only so long. */
export class PulledBytes {
  readonly #chunks: Iterator<Buffer>;
  #rest: Buffer = nothing;

  constructor(chunks: Iterable<Buffer>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** What is left of the present chunk. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Whether there is another byte; if so, {@link rest} is not empty. */
  more(): boolean {
    while (this.#rest.length === 0) {
      const { done, value } = this.#chunks.next();
      if (done === true) return false;
      this.#rest = value;
    }
    return true;
  }

  /** Drop bytes of {@link rest}. */
  skip(length: number): void {
    this.#rest = this.#rest.subarray(length);
  }
}
