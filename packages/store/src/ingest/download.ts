import { link, open, rm, stat } from "node:fs/promises";
import { FileLock, makeDirectories, StrataError } from "@strata/core";
import { ArrivingBytes, type LayerSource } from "@strata/layer";
import { downloadPath, downloadsDir } from "../content/paths.ts";
import { failpoint } from "../failpoint.ts";
import { inContext } from "../in-context.ts";
import { abortable } from "../streams/abortable.ts";
import { Deferred } from "../streams/deferred.ts";
import { writePieces } from "../streams/write-pieces.ts";
import type { RemoteBlob } from "./layer-input.ts";
import type { Staging } from "./staging.ts";

export interface DownloadOptions {
  readonly root: string;
  readonly staging: Staging;
  /** Names the blob in errors. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Called with what went wrong, before anybody else hears of it. */
  readonly onError: (error: unknown) => void;
  /** Called with the number of bytes that have arrived, and once as soon as they are asked for. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * A blob on its way from elsewhere. It can be read from its first byte on, while the others arrive.
 *
 *     downloads/<hex>   flocked while somebody writes it; one that was interrupted is continued at its end
 *     ingest/<id>/<n>   the same file: who reads it need not care what becomes of the other name
 *
 * 1. Only who holds the lock writes, and only at the end: what others have read stays as it is.
 * 2. The lock is held as long as bytes come, and no longer; nobody waits for anything else with it.
 * 3. Nothing is verified here. Who reads the bytes hashes them, and calls {@link replace} if they are wrong.
 */
export class Download {
  readonly #blob: RemoteBlob;
  readonly #options: DownloadOptions;
  #source = new Deferred<LayerSource>();
  #arriving = new ArrivingBytes();
  #running: Promise<void> | undefined;
  /** Some bytes were here before: a download from the first on may give others. */
  #isContinued = false;
  #isAnew = false;

  constructor(blob: RemoteBlob, options: DownloadOptions) {
    this.#blob = blob;
    this.#options = options;
  }

  /** Where its bytes are, as soon as the first is there. @throws what went wrong */
  async source(): Promise<LayerSource> {
    return await this.#source.promise;
  }

  /** Have all bytes come, or something go wrong. */
  async run(): Promise<void> {
    const { what, signal, onError } = this.#options;
    const work = async (): Promise<void> => {
      try {
        await inContext(what, signal, () => this.#fetch());
      } catch (error) {
        onError(error);
        this.fail(error);
      }
    };
    this.#running = work();
    await this.#running;
  }

  /** Wait until nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /**
   * Forget bytes that were seen to be wrong. Where some of them were here before, all come once more.
   * @param source - that they were read from
   * @returns whether there is another source now
   */
  async replace(source: LayerSource): Promise<boolean> {
    if ((await this.source()) !== source) return true;
    await rm(this.#path, { force: true });
    if (!this.#isContinued || this.#isAnew) return false;
    this.#isAnew = true;
    this.#source = new Deferred();
    this.#arriving = new ArrivingBytes();
    void this.run();
    return true;
  }

  get #path(): string {
    return downloadPath(this.#options.root, this.#blob.digest);
  }

  /** End every wait for its bytes. */
  fail(error: unknown): void {
    this.#source.reject(error);
    this.#arriving.fail();
  }

  async #fetch(): Promise<void> {
    const { root, staging } = this.#options;
    if (await this.#isHere()) return;
    makeDirectories(downloadsDir(root));
    using _lock = await this.#lock();
    failpoint("download.locked");
    if (await this.#isHere()) {
      // Another process has brought it in meanwhile.
      await rm(this.#path, { force: true });
      return;
    }
    const path = staging.newFile();
    await link(this.#path, path);
    failpoint("download.linked");
    await this.#write(path);
    failpoint("download.written");
  }

  /** Take the blob of the store, if it has it. */
  async #isHere(): Promise<boolean> {
    if (this.#isAnew) return false;
    const { staging } = this.#options;
    await staging.linkBlob(this.#blob.digest, this.#blob.size);
    const path = staging.blobPath(this.#blob.digest);
    if (path === undefined) return false;
    this.#isContinued = true;
    this.#source.resolve({ path });
    return true;
  }

  /** Lock the file of what has arrived already: a new one, if that is of no use. */
  async #lock(): Promise<FileLock> {
    const { signal } = this.#options;
    for (let isOfUse = !this.#isAnew; ; isOfUse = true) {
      const lock = await FileLock.take(this.#path, "exclusive", { signal });
      if (isOfUse && (await stat(this.#path)).size <= this.#blob.size) return lock;
      // Others may be reading it: it makes way.
      await rm(this.#path, { force: true });
      lock.release();
    }
  }

  async #write(path: string): Promise<void> {
    const { onBytes } = this.#options;
    const { size } = this.#blob;
    const [source, arriving] = [this.#source, this.#arriving];
    const here = (await stat(path)).size;
    this.#isContinued = here > 0;
    const arrived = (bytes: number): void => {
      arriving.add(bytes);
      source.resolve({ path, length: size, arriving: arriving.memory });
      onBytes(arriving.count);
      failpoint("download.bytes-written");
    };
    if (here > 0 || size === 0) arrived(here);
    else onBytes(0);
    if (here < size) {
      const file = await open(path, "r+");
      try {
        await writePieces(file, here, this.#pieces(here), arrived);
      } finally {
        await file.close();
      }
    }
    if (arriving.count < size) {
      throw new StrataError(
        "Aborted",
        `only ${arriving.count} of its ${size} bytes came; try again, and it goes on from there`,
      );
    }
    arriving.finish();
  }

  async *#pieces(from: number): AsyncGenerator<Uint8Array> {
    const { signal } = this.#options;
    const { size } = this.#blob;
    let bytes = from;
    for await (const piece of abortable(this.#blob.read(from, signal), signal)) {
      bytes += piece.length;
      if (bytes > size) {
        await rm(this.#path, { force: true });
        throw new StrataError("Corrupt", `more bytes came than the ${size} that it must have`);
      }
      yield piece;
    }
  }
}
