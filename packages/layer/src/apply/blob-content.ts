import { createHash } from "node:crypto";
import type { Digest } from "@strata/core";
import { type Compression, decompress, decompressorHere, detectCompression } from "../compression.ts";
import { type Limits, limitExceeded, ratioJudgedFromBytes } from "../limits.ts";
import { BlobSource, oneBuffer } from "./blob-source.ts";
import type { ApplyHooks, ApplyJob } from "./job.ts";
import type { LayerContent } from "./layer-content.ts";

/** A layer's blob, read, hashed, kept and inflated in this thread. */
export class BlobContent implements LayerContent {
  readonly size: number;
  readonly compression: Compression;
  readonly #source: BlobSource;
  readonly #guard: OutputGuard;
  readonly #decoderHere: typeof decompressorHere;
  readonly #hash = createHash("sha256");

  /**
   * Open it.
   * @param decoderHere - which decoders run in this thread
   * @throws StrataError `InvalidArgument`, if the range is not within the file
   */
  constructor(
    { source, keepAs }: ApplyJob,
    limits: Limits,
    hooks: ApplyHooks,
    decoderHere = decompressorHere,
  ) {
    this.#source = new BlobSource(source, {
      onChunk: hooks.onProgress,
      checkAbort: hooks.checkAbort,
      ...(keepAs !== undefined && { keepAs }),
    });
    this.size = this.#source.size;
    this.compression = detectCompression(this.#source.peek(6));
    this.#guard = new OutputGuard(this.size, limits, hooks);
    this.#decoderHere = decoderHere;
  }

  /**
   * @param room - where the archive is put, unless a decoder has memory of its own.
   * @defaultValue one buffer, again and again
   */
  async *chunks(room = oneBuffer()): AsyncGenerator<Buffer> {
    if (this.compression === "none") {
      for (const chunk of this.#source.chunks(room)) {
        this.#guard.count(chunk);
        yield chunk;
      }
      return;
    }
    const decoder = await this.#decoderHere(this.compression);
    const inflated =
      decoder?.(this.#source.chunks(), room) ?? decompress(this.compression, this.#source.ownChunks());
    for await (const chunk of inflated) {
      this.#guard.count(chunk);
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  diffId(): Digest {
    // What is not compressed is its own DiffID: one pass over the bytes serves both digests.
    return this.compression === "none" ? this.blob() : `sha256:${this.#hash.copy().digest("hex")}`;
  }

  blob(): Digest {
    this.#source.drain();
    return this.#source.digest();
  }

  close(): void {
    this.#source.close();
  }
}

/** Watches what comes out of a source. */
class OutputGuard {
  readonly #limits: Limits;
  readonly #hooks: ApplyHooks;
  readonly #allowedByRatio: number;
  #bytes = 0;

  constructor(blobSize: number, limits: Limits, hooks: ApplyHooks) {
    this.#limits = limits;
    this.#hooks = hooks;
    this.#allowedByRatio = Math.max(blobSize * limits.maxRatio, ratioJudgedFromBytes);
  }

  count({ length }: Buffer): void {
    this.#bytes += length;
    if (this.#bytes > this.#limits.maxBytes) throw limitExceeded(this.#limits, "maxBytes");
    if (this.#bytes > this.#allowedByRatio) throw limitExceeded(this.#limits, "maxRatio");
    this.#hooks.checkAbort();
  }
}
