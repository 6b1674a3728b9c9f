import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { attempt, type Digest, isStrataError, StrataError } from "@strata/core";
import type { UploadNote } from "@strata/store";
import { faultOf } from "../api/fault.ts";
import type { RegistryClient } from "../api/registry-client.ts";
import type { Upload, UploadBody } from "../api/uploads.ts";
import { delayMs, wait } from "../http/retry.ts";

const chunkBytes = 256 * 1024;

/** A blob of the store, open. */
export interface OpenBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly file: FileHandle;
}

export interface BlobUploadOptions {
  readonly client: RegistryClient;
  readonly blob: OpenBlob;
  /** Where it is noted how to go on. */
  readonly note: UploadNote;
  /** An upload that was begun before. */
  readonly begun: Upload | undefined;
  /**
   * What goes in one request. Of one that is cut in the middle, some registries keep the bytes that came; others drop the
   * part, docker's own all of the upload.
   */
  readonly partBytes: number;
  /** Names the blob in errors. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Told how many bytes the registry was given. They can become fewer again. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Brings a blob to a registry, whatever happens on the way:
 *
 * - A small one goes in one request, a large one in parts.
 * - After a failure that can pass, the registry is asked how much it has, and gets the rest; all, if it has forgotten.
 * - If it is not known whether the blob was made of what had arrived, the registry is asked for the blob.
 * - A registry that takes no parts gets all in one request.
 *
 * It gives up after as many failures in a row as requests are tried, if no more arrived meanwhile than ever before.
 */
export class BlobUpload {
  readonly #options: BlobUploadOptions;
  #upload: Upload | undefined;
  #partBytes: number;
  /** What was asked for last. */
  #step: "begin" | "part" | "finish" = "begin";
  /** The most that ever arrived. */
  #reached: number;
  #failures = 0;
  #isSentAnew = false;

  constructor(options: BlobUploadOptions) {
    this.#options = options;
    this.#upload = options.begun;
    this.#partBytes = options.partBytes;
    this.#reached = options.begun?.offset ?? 0;
  }

  /** @throws StrataError `Corrupt`, if the blob is damaged, here or on its way; else as `RegistryClient` */
  async run(): Promise<void> {
    const { note, signal } = this.#options;
    for (;;) {
      try {
        await this.#send();
        break;
      } catch (error) {
        signal.throwIfAborted();
        if (await this.#isThereAfter(error)) break;
        await this.#recover(error);
      }
    }
    note.forget();
  }

  async #send(): Promise<void> {
    const { blob, signal } = this.#options;
    this.#upload ??= await this.#begin();
    const upload = this.#upload;
    const partBytes = Math.max(this.#partBytes, upload.minChunkBytes ?? 0);
    const isWhole = upload.offset === 0 && blob.size <= partBytes;
    if (!isWhole) await this.#sendParts(upload, partBytes);
    this.#step = "finish";
    // With content, even if it is none, the registry may take longer: it may have to read all of the blob.
    const rest = isWhole ? this.#body(0, blob.size) : { data: Buffer.alloc(0) };
    await upload.finish(blob.digest, rest, signal);
  }

  async #begin(): Promise<Upload> {
    const { client, note, signal } = this.#options;
    this.#step = "begin";
    const upload = await client.startUpload(signal);
    await note.save(upload.location);
    return upload;
  }

  async #sendParts(upload: Upload, partBytes: number): Promise<void> {
    const { blob, note, what, signal } = this.#options;
    this.#step = "part";
    while (upload.offset < blob.size) {
      const from = upload.offset;
      await upload.append(this.#body(from, Math.min(partBytes, blob.size - from)), signal);
      if (upload.offset <= from) {
        throw new StrataError("Aborted", `${what}: the registry takes a part and has no more than before`);
      }
      await note.save(upload.location);
      this.#moved(upload.offset);
    }
  }

  /** Whether the registry has the blob, where its answer may have been lost. */
  async #isThereAfter(error: unknown): Promise<boolean> {
    const { client, blob, signal } = this.#options;
    if (this.#step !== "finish" || !canPass(error)) return false;
    return (await client.headBlob(blob.digest, { signal })) !== undefined;
  }

  /** Prepare to send again. @throws `error`, if that is of no use */
  async #recover(error: unknown): Promise<void> {
    if (this.#step === "finish" && isOfOtherBytes(error)) {
      await this.#examine(error);
      this.#upload = undefined;
    } else if (this.#step === "part" && refusesParts(error, this.#upload?.offset)) {
      this.#partBytes = Infinity;
      this.#upload = undefined;
    } else if (this.#step !== "begin" && canPass(error)) {
      await this.#pause(error);
      await this.#catchUp();
    } else {
      throw error;
    }
  }

  /** Find out whose fault it is that other bytes arrived. */
  async #examine(cause: unknown): Promise<void> {
    const { blob, note, what } = this.#options;
    note.forget();
    const hash = createHash("sha256");
    for await (const piece of this.#pieces(0, blob.size)) hash.update(piece);
    const actual = `sha256:${hash.digest("hex")}`;
    if (actual !== blob.digest) {
      const message = `${what} is damaged in the store (now ${actual}); run \`strata check --repair\`, then load or pull the image again`;
      throw new StrataError("Corrupt", message, { cause });
    }
    if (this.#isSentAnew) {
      const message = `${what}: the registry received other bytes than were sent, twice: something on the way changes them`;
      throw new StrataError("Corrupt", message, { cause });
    }
    this.#isSentAnew = true;
  }

  async #pause(error: unknown): Promise<void> {
    const { client, signal } = this.#options;
    this.#failures += 1;
    const delay = delayMs(this.#failures, faultOf(error)?.retryAfterMs, client.retry);
    if (delay === undefined || this.#failures >= client.retry.attempts) throw error;
    await wait(delay, signal);
  }

  /** Ask the registry how much it has. */
  async #catchUp(): Promise<void> {
    const { blob, note, signal } = this.#options;
    const arrived = await this.#upload?.status(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!isStrataError(error) || isOutOfOrder(error)) throw error;
      // docker's registry gives up an upload of which it has another length than it noted.
      return undefined;
    });
    if (arrived === undefined || arrived > blob.size) this.#upload = undefined;
    if (this.#upload !== undefined) await note.save(this.#upload.location);
    this.#moved(this.#upload?.offset ?? 0);
  }

  #moved(arrived: number): void {
    if (arrived > this.#reached) {
      this.#reached = arrived;
      this.#failures = 0;
    }
    this.#options.onBytes(arrived);
  }

  #body(from: number, sizeBytes: number): UploadBody {
    const { onBytes } = this.#options;
    const pieces = this.#pieces(from, sizeBytes);
    async function* counted(): AsyncGenerator<Buffer> {
      let position = from;
      for await (const piece of pieces) {
        yield piece;
        position += piece.length;
        onBytes(position);
      }
    }
    return { data: Readable.from(counted(), { objectMode: false, highWaterMark: chunkBytes }), sizeBytes };
  }

  async *#pieces(from: number, sizeBytes: number): AsyncGenerator<Buffer> {
    const { blob, what } = this.#options;
    const end = from + sizeBytes;
    for (let position = from; position < end; ) {
      const piece = Buffer.allocUnsafe(Math.min(chunkBytes, end - position));
      const { bytesRead } = await attempt(what, () => blob.file.read(piece, 0, piece.length, position));
      if (bytesRead === 0) throw new StrataError("Corrupt", `${what} ends after ${position} bytes`);
      yield piece.subarray(0, bytesRead);
      position += bytesRead;
    }
  }
}

/**
 * Whether the same can succeed after the registry was asked how far it is. A stream is not sent again by whoever sends
 * requests: also not, if the token for it has expired meanwhile (401).
 */
function canPass(error: unknown): boolean {
  return isOutOfOrder(error) || [401, 404, 416].includes(faultOf(error)?.status ?? 0);
}

/** Nobody can be reached, or the server has trouble of its own. */
function isOutOfOrder(error: unknown): boolean {
  return isStrataError(error, "Aborted") || isStrataError(error, "Busy");
}

/** @param offset - where the part began: of the first one, no more can be wrong than that it is a part */
function refusesParts(error: unknown, offset: number | undefined): boolean {
  const status = faultOf(error)?.status ?? 0;
  return [400, 405, 501].includes(status) || (offset === 0 && [404, 416].includes(status));
}

function isOfOtherBytes(error: unknown): boolean {
  return (
    isStrataError(error, "Corrupt") ||
    (faultOf(error)?.errors.some(({ code }) => code === "DIGEST_INVALID") ?? false)
  );
}
