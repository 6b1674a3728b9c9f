import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { type Digest, StrataError } from "@strata/core";
import { ArrivingBytes } from "../arriving-bytes.ts";
import type { LayerSource } from "./options.ts";

// Large enough that calls cost nothing, small enough to be in the cache still when it is hashed and written.
const chunkBytes = 256 * 1024;

export interface BlobSourceOptions {
  /** Write the bytes to a new file of this path as they come. */
  readonly keepAs?: string;
  /** Called after each chunk with the bytes read so far. What it throws ends the reading. */
  readonly onChunk: (bytesRead: number) => void;
  /** Called while bytes are waited for that still arrive. What it throws ends the waiting. */
  readonly checkAbort: () => void;
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
  readonly #checkAbort: () => void;
  /** Of a file that is being written still. */
  readonly #arriving: ArrivingBytes | undefined;
  readonly #hash = createHash("sha256");
  #done = 0;

  /**
   * Cost: opens the source, and makes the file to keep it in.
   * @throws StrataError `InvalidArgument`, if the range is not within the file
   */
  constructor({ path, offset = 0, length, arriving }: LayerSource, options: BlobSourceOptions) {
    const { keepAs, onChunk, checkAbort } = options;
    this.#fd = openSync(path, "r");
    try {
      if (arriving !== undefined && length === undefined)
        throw new TypeError("the length of what still arrives must be given");
      const available = arriving === undefined ? fstatSync(this.#fd).size - offset : Infinity;
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
    this.#checkAbort = checkAbort;
    this.#arriving = arriving && new ArrivingBytes(arriving);
  }

  /** The first bytes, at most `length`; they come again when the chunks are read. */
  peek(length: number): Buffer {
    const head = Buffer.alloc(Math.min(length, this.size));
    this.#waitFor(head.length);
    return head.subarray(0, readSync(this.#fd, head, 0, head.length, this.#offset));
  }

  /**
   * The chunks one after the other; each is valid until the next is asked for.
   * @param room - where they are read to. @defaultValue one buffer, again and again
   */
  *chunks(room = oneBuffer()): Generator<Buffer> {
    while (this.#done < this.size) {
      this.#waitFor(this.#done + 1);
      yield this.#read(room(chunkBytes));
    }
  }

  /**
   * The same for a consumer that keeps a chunk after asking for the next. What it does with one goes on while the next
   * has not arrived.
   */
  async *ownChunks(): AsyncGenerator<Buffer> {
    while (this.#done < this.size) {
      const there = await this.#arriving?.whenThere(this.#offset + this.#done + 1, this.#checkAbort);
      const room = there === undefined ? chunkBytes : there - this.#offset - this.#done;
      yield this.#read(Buffer.allocUnsafeSlow(Math.min(room, chunkBytes)));
    }
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

  #waitFor(position: number): void {
    this.#arriving?.waitFor(this.#offset + position, this.#checkAbort);
  }

  #read(buffer: Buffer): Buffer {
    const wanted = Math.min(buffer.length, this.size - this.#done);
    const length = readSync(this.#fd, buffer, 0, wanted, this.#offset + this.#done);
    if (length === 0)
      throw new StrataError("Corrupt", "the file that the layer is in is too short; get the layer again");
    const chunk = buffer.subarray(0, length);
    this.#hash.update(chunk);
    if (this.#keepFd !== undefined) writeAll(this.#keepFd, chunk);
    this.#done += length;
    this.#onChunk(this.#done);
    return chunk;
  }
}

/** The same piece of memory, again and again. */
export function oneBuffer(): Room {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  return () => buffer;
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
