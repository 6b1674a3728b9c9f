import { link, rename, rm, stat } from "node:fs/promises";
import { type Digest, errnoCode, fsyncPath } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { blobPath, blobsDir } from "../content/paths.ts";
import { failpoint } from "../failpoint.ts";
import { Staging } from "../ingest/staging.ts";

interface PendingBlob {
  readonly path: string;
  readonly size: number;
  /** It is the store's own file under another name. */
  readonly linked: boolean;
  /** `Date.now()` when somebody last showed that they want it. */
  since: number;
}

/**
 * Blobs that were pushed and that no manifest names yet, in a staging directory of this process: gc leaves them alone
 * as long as it lives, and removes them when it was killed.
 */
export class PendingBlobs {
  readonly #context: StoreContext;
  readonly #blobs = new Map<Digest, PendingBlob>();
  #staging: Promise<Staging> | undefined;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** The path of a file of the staging directory that is not there yet. */
  async newFile(): Promise<string> {
    this.#staging ??= Staging.open(this.#context);
    try {
      return (await this.#staging).newFile();
    } catch (error) {
      this.#staging = undefined;
      throw error;
    }
  }

  /** Take over a file of the staging directory that was seen to have this digest. It replaces a link to the store. */
  async add(digest: Digest, path: string, size: number): Promise<void> {
    if (this.#context.durable) await fsyncPath(path);
    const before = this.#blobs.get(digest);
    if (before !== undefined && !before.linked) {
      before.since = Date.now();
      await rm(path, { force: true });
      return;
    }
    this.#blobs.set(digest, { path, size, linked: false, since: Date.now() });
    if (before !== undefined) await rm(before.path, { force: true });
  }

  /** The size of a blob that is pending. */
  sizeOf(digest: Digest): number | undefined {
    return this.#blobs.get(digest)?.size;
  }

  /**
   * Use the file of a blob, pending or in the store, while it may be moved from here to there.
   * @throws the system error ENOENT, if it is at neither
   */
  async use<T>(digest: Digest, work: (path: string) => Promise<T>): Promise<T> {
    for (;;) {
      const pending = this.#blobs.get(digest)?.path;
      if (pending === undefined) return await work(blobPath(this.#context.root, digest));
      try {
        return await work(pending);
      } catch (error) {
        if (errnoCode(error) !== "ENOENT") throw error;
        // It was published, and is about to be forgotten here.
        if (this.#blobs.get(digest)?.path === pending)
          return await work(blobPath(this.#context.root, digest));
      }
    }
  }

  /**
   * Keep a blob of the store for a manifest that is to come.
   * @returns whether it is there
   */
  async hold(digest: Digest): Promise<boolean> {
    if (this.#renew(digest)) return true;
    const path = await this.newFile();
    try {
      await link(blobPath(this.#context.root, digest), path);
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return false;
      throw error;
    }
    const { size } = await stat(path);
    if (this.#renew(digest)) await rm(path, { force: true });
    else this.#blobs.set(digest, { path, size, linked: true, since: Date.now() });
    return true;
  }

  #renew(digest: Digest): boolean {
    const known = this.#blobs.get(digest);
    if (known !== undefined) known.since = Date.now();
    return known !== undefined;
  }

  /**
   * Move those of the blobs that are pending to their places. Call it with the store's lock held, and look afterwards
   * whether all are there: one may be dropped meanwhile.
   */
  async publish(digests: Iterable<Digest>): Promise<void> {
    const { root, durable } = this.#context;
    for (const digest of new Set(digests)) {
      const blob = this.#blobs.get(digest);
      if (blob === undefined) continue;
      await rename(blob.path, blobPath(root, digest)).catch((error) => {
        if (errnoCode(error) !== "ENOENT") throw error;
      });
      failpoint("ingest.blob-published");
      if (this.#blobs.get(digest) === blob) this.#blobs.delete(digest);
      // rename(2) leaves both names, if they are links of one file.
      await rm(blob.path, { force: true });
    }
    if (durable) await fsyncPath(blobsDir(root));
    failpoint("ingest.blobs-durable");
  }

  /** @returns whether it was pending */
  async drop(digest: Digest): Promise<boolean> {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return false;
    this.#blobs.delete(digest);
    await rm(blob.path, { force: true });
    return true;
  }

  /** Forget those that nobody has asked for since. */
  async dropOlderThan(time: number): Promise<void> {
    for (const [digest, { since }] of this.#blobs) if (since < time) await this.drop(digest);
  }

  async close(): Promise<void> {
    const staging = await this.#staging?.catch(() => undefined);
    this.#staging = undefined;
    this.#blobs.clear();
    await staging?.[Symbol.asyncDispose]();
  }
}
