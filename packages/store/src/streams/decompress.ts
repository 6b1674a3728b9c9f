import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type Compression,
  decompressor,
  defaultLimits,
  detectCompression,
  type Limits,
  limitExceeded,
  ratioJudgedFromBytes,
} from "@strata/layer";

const magicBytes = 6;

export interface Decompressed {
  readonly compression: Compression;
  /** The bytes without the compression, whatever it was. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Find out how a stream is compressed, and undo it.
 * @throws StrataError, while `bytes` are read: `Corrupt`, if they are damaged; `InvalidArgument`, beyond `maxBytes` or
 *   `maxRatio`
 */
export async function decompress(
  input: AsyncIterable<Uint8Array>,
  limits: Partial<Limits> = {},
): Promise<Decompressed> {
  const chunks = input[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  for (let length = 0; length < magicBytes; ) {
    const next = await chunks.next();
    if (next.done) break;
    head.push(next.value);
    length += next.value.length;
  }
  const compression = detectCompression(Buffer.concat(head));
  const counted = new CountedInput(head, chunks);
  const plain = compression === "none" ? counted : through(counted, decompressor(compression));
  return { compression, bytes: limited(plain, counted, { ...defaultLimits, ...limits }) };
}

class CountedInput implements AsyncIterable<Uint8Array> {
  count = 0;
  readonly #head: readonly Uint8Array[];
  readonly #rest: AsyncIterator<Uint8Array>;

  constructor(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>) {
    this.#head = head;
    this.#rest = rest;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of this.#head) yield this.#counted(chunk);
      for (;;) {
        const next = await this.#rest.next();
        if (next.done) return;
        yield this.#counted(next.value);
      }
    } finally {
      await this.#rest.return?.();
    }
  }

  #counted(chunk: Uint8Array): Uint8Array {
    this.count += chunk.length;
    return chunk;
  }
}

async function* through(input: AsyncIterable<Uint8Array>, stream: Duplex): AsyncGenerator<Uint8Array> {
  const fed = pipeline(input, stream);
  fed.catch(() => {
    // The stream is destroyed with the same error, which is where it is seen.
  });
  try {
    yield* stream;
  } finally {
    stream.destroy();
  }
}

async function* limited(
  plain: AsyncIterable<Uint8Array>,
  input: { readonly count: number },
  limits: Limits,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of plain) {
    count += chunk.length;
    if (count > limits.maxBytes) throw limitExceeded(limits, "maxBytes");
    if (count > ratioJudgedFromBytes && count > input.count * limits.maxRatio) {
      throw limitExceeded(limits, "maxRatio");
    }
    yield chunk;
  }
}
