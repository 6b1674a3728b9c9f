import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { type Digest, StrataError } from "@strata/core";
import type { LayerSource } from "./options.ts";

// Large enough that calls cost nothing, small enough to be in the cache still when it is hashed and written.
const chunkBytes = 256 * 1024;

export interface BlobSourceOptions {
  /** Write the bytes to a new file of this path as they come. */
  readonly keepAs?: string;
  /** Called after each chunk with the bytes read so far. What it throws ends the reading. */
  readonly onChunk: (bytesRead: number) => void;
}

/** Where a chunk is to be read to, of `wanted` bytes at most. */
export type Room = (wanted: number) => Buffer;

/** The bytes of a layer's blob, read once: hashed and kept as they pass. */
export class BlobSource {
  /** Bytes in the source. */
  readonly size: number;
  readonly #fd: number;
  readonly #keepFd: number | undefined;
  readonly #offset: number;
  readonly #onChunk: (bytesRead: number) => void;
  readonly #hash = createHash("sha256");
  #done = 0;

  /**
   * Cost: opens the source, and makes the file to keep it in.
   * @throws StrataError `InvalidArgument`, if the range is not within the file
   */
  constructor({ path, offset = 0, length }: LayerSource, { keepAs, onChunk }: BlobSourceOptions) {
    this.#fd = openSync(path, "r");
    try {
      const available = fstatSync(this.#fd).size - offset;
      this.size = length ?? available;
      if (offset < 0 || this.size < 0 || this.size > available) {
        throw new StrataError(
          "InvalidArgument",
          `${path}: there are no ${this.size} bytes at offset ${offset}; the archive is truncated or its index is wrong`,
        );
      }
      this.#keepFd = keepAs === undefined ? undefined : openSync(keepAs, "wx", 0o600);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
    this.#offset = offset;
    this.#onChunk = onChunk;
  }

  /** The first bytes, at most `length`; they come again when the chunks are read. */
  peek(length: number): Buffer {
    const head = Buffer.alloc(Math.min(length, this.size));
    return head.subarray(0, readSync(this.#fd, head, 0, head.length, this.#offset));
  }

  /**
   * The chunks one after the other; each is valid until the next is asked for.
   * @param room - where they are read to. @defaultValue one buffer, again and again
   */
  *chunks(room = oneBuffer()): Generator<Buffer> {
    while (this.#done < this.size) yield this.#read(room(chunkBytes));
  }

  /** The same for a consumer that keeps a chunk after asking for the next. */
  async *ownChunks(): AsyncGenerator<Buffer> {
    while (this.#done < this.size) yield this.#read(Buffer.allocUnsafeSlow(chunkBytes));
  }

  /** Read what is left, so that the digest is that of the whole. */
  drain(): void {
    for (const _ of this.chunks());
  }

  /** Of the bytes read so far. */
  digest(): Digest {
    return `sha256:${this.#hash.copy().digest("hex")}`;
  }

  /** Closing twice is an error. */
  close(): void {
    closeSync(this.#fd);
    if (this.#keepFd !== undefined) closeSync(this.#keepFd);
  }

  #read(buffer: Buffer): Buffer {
    const wanted = Math.min(buffer.length, this.size - this.#done);
    const length = readSync(this.#fd, buffer, 0, wanted, this.#offset + this.#done);
    if (length === 0)
      throw new StrataError("Corrupt", "the file that the layer is in got shorter; load it again");
    const chunk = buffer.subarray(0, length);
    this.#hash.update(chunk);
    if (this.#keepFd !== undefined) writeAll(this.#keepFd, chunk);
    this.#done += length;
    this.#onChunk(this.#done);
    return chunk;
  }
}

function oneBuffer(): Room {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  return () => buffer;
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
