const chunkSize = 1024 * 1024;

/**
 * Collects a stream into chunks of 1 MiB. Content is read straight into the chunk; a chunk that was handed out is never
 * touched again, so consumers may keep it.
 */
export class Chunks {
  #chunk = Buffer.allocUnsafeSlow(chunkSize);
  #used = 0;

  /** Append a copy of `bytes`. @returns the chunks that became full */
  *append(bytes: Buffer): Generator<Buffer> {
    for (let done = 0; done < bytes.length; ) {
      const count = bytes.copy(this.#chunk, this.#used, done);
      done += count;
      yield* this.filled(count);
    }
  }

  /** The rest of the current chunk, to be filled from its start; never empty. */
  get space(): Buffer {
    return this.#chunk.subarray(this.#used);
  }

  /** Say that `count` bytes were written to {@link space}. @returns the chunk, if that made it full */
  *filled(count: number): Generator<Buffer> {
    this.#used += count;
    if (this.#used < chunkSize) return;
    const full = this.#chunk;
    this.#chunk = Buffer.allocUnsafeSlow(chunkSize);
    this.#used = 0;
    yield full;
  }

  /** @returns what is in the last chunk, if anything */
  *rest(): Generator<Buffer> {
    if (this.#used > 0) yield this.#chunk.subarray(0, this.#used);
  }
}
