import { Duplex, PassThrough } from "node:stream";

/**
 * An async generator as a stream: what is written goes into it, what it yields can be read.
 *
 * Node's `Duplex.from(generator)` is not used: destroyed while the generator waits for input, it waits for ever, and so
 * does the pipeline that it is in.
 */
export class GeneratorDuplex extends Duplex {
  readonly #input = new PassThrough({ highWaterMark: 256 * 1024 });
  readonly #output: AsyncIterator<Buffer>;

  constructor(transform: (input: AsyncIterable<Buffer>) => AsyncIterable<Buffer>) {
    super();
    this.#output = transform(this.#input)[Symbol.asyncIterator]();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#input.write(chunk)) done();
    else this.#input.once("drain", done);
  }

  override _final(done: () => void): void {
    this.#input.end(done);
  }

  override _read(): void {
    this.#next().then(
      (chunk) => this.push(chunk),
      (error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // The generator, if it waits for input, ends with an error that nobody wants to know.
    this.#input.destroy();
    done(error);
  }

  async #next(): Promise<Buffer | null> {
    for (;;) {
      const { done, value } = await this.#output.next();
      if (done === true) return null;
      // Pushing nothing would not make the stream ask again.
      if (value.length > 0) return value;
    }
  }
}
