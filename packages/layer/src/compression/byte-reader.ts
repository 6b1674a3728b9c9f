/** Lets a parser ask a stream of chunks for as many bytes as it needs next. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffered: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether the stream has ended, so that what is buffered is all there is. */
  get ended(): boolean {
    return this.#ended;
  }

  /** All that is buffered, after making that at least `length` bytes; fewer only where the stream ends. */
  async peek(length: number): Promise<Buffer> {
    while (this.#buffered.length < length && !this.#ended) {
      const { done, value } = await this.#chunks.next();
      if (done === true) this.#ended = true;
      else this.#buffered = this.#buffered.length === 0 ? value : Buffer.concat([this.#buffered, value]);
    }
    return this.#buffered;
  }

  /** Drop bytes that were peeked at. */
  skip(length: number): void {
    this.#buffered = this.#buffered.subarray(length);
  }

  /** The next `length` bytes, or undefined if the stream ends before. */
  async take(length: number): Promise<Buffer | undefined> {
    const buffered = await this.peek(length);
    if (buffered.length < length) return undefined;
    this.skip(length);
    return buffered.subarray(0, length);
  }
}
