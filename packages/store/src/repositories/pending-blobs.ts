import { link, rename, rm, stat } from "node:fs/promises";
import { type Digest, errnoCode, fsyncPath } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { blobPath, blobsDir } from "../content/paths.ts";
import { failpoint } from "../failpoint.ts";
import { Staging } from "../ingest/staging.ts";

interface PendingBlob {
  readonly path: string;
  readonly size: number;
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

  /** Take over a file of the staging directory that was seen to have this digest. */
  async add(digest: Digest, path: string, size: number): Promise<void> {
    if (this.#context.durable) await fsyncPath(path);
    const before = this.#blobs.get(digest);
    this.#blobs.set(digest, { path, size, since: Date.now() });
    if (before !== undefined) await rm(before.path, { force: true });
  }

  get(digest: Digest): { readonly path: string; readonly size: number } | undefined {
    return this.#blobs.get(digest);
  }

  /**
   * Keep a blob of the store for a manifest that is to come.
   * @returns whether it is there
   */
  async hold(digest: Digest): Promise<boolean> {
    const known = this.#blobs.get(digest);
    if (known !== undefined) {
      known.since = Date.now();
      return true;
    }
    const path = await this.newFile();
    try {
      await link(blobPath(this.#context.root, digest), path);
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return false;
      throw error;
    }
    this.#blobs.set(digest, { path, size: (await stat(path)).size, since: Date.now() });
    return true;
  }

  /** Move those of the blobs that are pending to their places. Call it with the store's lock held. */
  async publish(digests: Iterable<Digest>): Promise<void> {
    const { root, durable } = this.#context;
    let count = 0;
    for (const digest of new Set(digests)) {
      const blob = this.#blobs.get(digest);
      if (blob === undefined) continue;
      await rename(blob.path, blobPath(root, digest));
      failpoint("ingest.blob-published");
      this.#blobs.delete(digest);
      // rename(2) leaves both names, if they are links of one file.
      await rm(blob.path, { force: true });
      count += 1;
    }
    if (durable && count > 0) await fsyncPath(blobsDir(root));
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
