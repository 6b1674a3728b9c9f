import { createHash, type Hash, randomUUID } from "node:crypto";
import { type FileHandle, open, rm, truncate } from "node:fs/promises";
import type { Readable } from "node:stream";
import { type Digest, StrataError } from "@strata/core";

export interface AppendOptions {
  /** Where these bytes belong. @defaultValue behind what has arrived */
  readonly from?: number;
  /** How many there are. @defaultValue as many as come */
  readonly bytes?: number;
  /** How large the blob may become, in bytes. */
  readonly maxBytes: number;
}

/** A blob on its way in, part by part; hashed as it comes. */
export class Upload {
  readonly id: string = randomUUID();
  /** The full name of the repository that it is for. */
  readonly repository: string;
  readonly path: string;
  /** `Date.now()` when it was last used. */
  usedAt = Date.now();
  #offset = 0;
  #hash = createHash("sha256");
  #writing: { readonly source: Readable; readonly ended: Promise<void> } | undefined;
  #isOver = false;

  private constructor(repository: string, path: string) {
    this.repository = repository;
    this.path = path;
  }

  /** @param path - of a file that is not there yet */
  static async begin(repository: string, path: string): Promise<Upload> {
    await (await open(path, "wx", 0o600)).close();
    return new Upload(repository, path);
  }

  /** How many bytes have arrived. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether somebody is sending now. */
  get busy(): boolean {
    return this.#writing !== undefined;
  }

  /**
   * Add bytes. Who sends last is heard: an append that is still waiting for bytes, on a connection that died perhaps,
   * ends. When `source` fails, what had come stays, and the sender can go on behind it. Bytes that cannot be right
   * leave nothing.
   * @throws StrataError `NotFound`, if the upload is over
   * @throws StrataError `FailedPrecondition`, if they do not belong where the upload is
   * @throws StrataError `InvalidArgument`, if there are more or fewer than there should be
   */
  async append(source: Readable, options: AppendOptions): Promise<void> {
    // From the last look at who is writing until this does, nothing else may run: several may have waited for the same.
    while (this.#writing !== undefined) await this.#stop();
    if (this.#isOver) throw new StrataError("NotFound", "the upload is over");
    if (options.from !== undefined && options.from !== this.#offset) {
      const message = `the upload has ${this.#offset} bytes; these begin at ${options.from}`;
      throw new StrataError("FailedPrecondition", message);
    }
    const written = this.#write(source, options).finally(() => {
      this.#writing = undefined;
      this.usedAt = Date.now();
    });
    this.#writing = { source, ended: written.catch(() => {}) };
    await written;
  }

  /** Let nothing more come: end whoever is sending. Twice is fine. @returns the digest of what has arrived */
  async end(): Promise<Digest> {
    this.#isOver = true;
    await this.#stop();
    return `sha256:${this.#hash.copy().digest("hex")}`;
  }

  /** Cut off what was written and does not count: refused bytes, or those that a full disk took before it failed. */
  async trim(): Promise<void> {
    await truncate(this.path, this.#offset);
  }

  async discard(): Promise<void> {
    await this.end();
    await rm(this.path, { force: true });
  }

  async #stop(): Promise<void> {
    if (this.#writing === undefined) return;
    const { source, ended } = this.#writing;
    source.destroy(new StrataError("Aborted", "another request goes on with this upload"));
    await ended;
  }

  async #write(source: Readable, { bytes, maxBytes }: AppendOptions): Promise<void> {
    const before = { offset: this.#offset, hash: this.#hash.copy() };
    const end = bytes === undefined ? maxBytes : Math.min(maxBytes, before.offset + bytes);
    const file = await open(this.path, "r+");
    try {
      // It is left open for an answer, whatever is wrong with it.
      for await (const chunk of source.iterator({ destroyOnReturn: false })) {
        if (this.#offset + chunk.length > end) {
          this.#goBack(before);
          throw new StrataError(
            "InvalidArgument",
            `more than the ${end - before.offset} bytes that may come`,
          );
        }
        await writeAll(file, chunk, this.#offset);
        this.#hash.update(chunk);
        this.#offset += chunk.length;
      }
      if (bytes !== undefined && this.#offset < before.offset + bytes) {
        const count = this.#offset - before.offset;
        this.#goBack(before);
        throw new StrataError("InvalidArgument", `${count} bytes came, not ${bytes} as announced`);
      }
    } finally {
      await file.close();
    }
  }

  #goBack({ offset, hash }: { readonly offset: number; readonly hash: Hash }): void {
    this.#offset = offset;
    this.#hash = hash;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}
