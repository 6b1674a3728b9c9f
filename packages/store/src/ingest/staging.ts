import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestOf, errnoCode, FileLock, fsyncPath, writeFileAtomic } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { blobPath, blobsDir, ingestDir } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { type Holds, holdsFile } from "./holds.ts";
import { ownerFile, reapIngests, removeActive, removeStaging } from "./reap.ts";

/**
 * Where one load, import or commit keeps what is not part of the store yet:
 *
 *     ingest/<id>/owner        flocked while the process that works here lives
 *     ingest/<id>/holds.json   what gc must leave alone for it, and what to remove if it dies
 *     ingest/<id>/<n>          blobs on their way in, and links to blobs of the store that are relied upon
 *
 * 1. A directory whose `owner` is free is garbage; {@link reapIngests} removes it.
 * 2. A blob of the store that is relied upon is linked here first, so gc may remove it there meanwhile.
 * 3. Snapshots that are relied upon, or being committed, are listed in `holds.json`, under the store's lock, before
 *    it is looked whether they exist.
 */
export class Staging implements AsyncDisposable {
  readonly id: string;
  readonly #dir: string;
  readonly #context: StoreContext;
  readonly #owner: FileLock;
  /** Where the bytes of each blob are until {@link publish}. */
  readonly #blobs = new Map<Digest, { path: string; linked: boolean }>();
  #files = 0;
  #actives: readonly string[] = [];

  private constructor(context: StoreContext, id: string, dir: string, owner: FileLock) {
    this.#context = context;
    this.id = id;
    this.#dir = dir;
    this.#owner = owner;
  }

  /** Begin; after a look for what killed processes left behind. */
  static async open(context: StoreContext, signal?: AbortSignal): Promise<Staging> {
    await reapIngests(context);
    const id = randomBytes(8).toString("hex");
    const dir = join(ingestDir(context.root), id);
    // Under the lock, so that nobody sees the directory without its owner.
    const owner = await withStoreLock(
      context.root,
      async () => {
        await mkdir(dir, { mode: 0o700 });
        failpoint("staging.directory-made");
        try {
          return await FileLock.take(ownerFile(dir), "exclusive");
        } catch (error) {
          await rmdir(dir).catch(() => {}); // On a full disk, there may be room for the one but not for the other.
          throw error;
        }
      },
      signal,
    );
    failpoint("staging.owned");
    return new Staging(context, id, dir, owner);
  }

  /** The path of a file that is not there yet. */
  newFile(): string {
    this.#files += 1;
    return join(this.#dir, String(this.#files));
  }

  /** The key of an active snapshot of this staging. */
  key(index: number): string {
    return `ingest-${this.id}-${index}`;
  }

  /**
   * Note the committed snapshots that are relied upon or will be committed, and the active ones that are being made.
   * Call it with the store's lock held.
   * @param actives - their keys. @defaultValue one of this staging for each of `chains`
   */
  async hold(chains: readonly Digest[], actives = chains.map((_, index) => this.key(index))): Promise<void> {
    const holds: Holds = { driver: this.#context.driver.name, chains, actives };
    await writeFileAtomic(holdsFile(this.#dir), JSON.stringify(holds), { durable: false });
    failpoint("staging.held");
    this.#actives = actives;
  }

  /** Remove those active snapshots that were made and not committed. */
  async removeActives(): Promise<void> {
    for (const key of this.#actives) await removeActive(this.#context, key);
  }

  /**
   * Rely on a blob of the store. One of another size than it must have is as good as none: bringing the image in
   * again then repairs what a power cut left empty.
   * @returns whether the store has it
   */
  async linkBlob(digest: Digest, size?: number): Promise<boolean> {
    if (this.#blobs.has(digest)) return true;
    const path = this.newFile();
    try {
      await link(blobPath(this.#context.root, digest), path);
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return false;
      throw error;
    }
    if (size !== undefined && (await stat(path)).size !== size) return false;
    failpoint("staging.blob-linked");
    this.#blobs.set(digest, { path, linked: true });
    return true;
  }

  /** Take over a file of the staging directory that was seen to have this digest. It replaces a link to the store. */
  addBlob(digest: Digest, path: string): void {
    failpoint("staging.blob-written");
    if (this.#blobs.get(digest)?.linked !== false) this.#blobs.set(digest, { path, linked: false });
  }

  /** Write a small blob, unless the store has it, undamaged. */
  async addBytes(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes);
    await this.linkBlob(digest, bytes.length);
    const linked = this.blobPath(digest);
    if (linked === undefined || !(await readFile(linked)).equals(bytes)) {
      const path = this.newFile();
      await writeFile(path, bytes);
      this.addBlob(digest, path);
    }
    return digest;
  }

  /** Where the bytes of a blob are, if it was linked or added. */
  blobPath(digest: Digest): string | undefined {
    return this.#blobs.get(digest)?.path;
  }

  /** Make the blobs durable. For after `driver.sync()`, which leaves little to do where the disk is the same. */
  async sync(): Promise<void> {
    if (!this.#context.durable) return;
    for (const { path, linked } of this.#blobs.values()) if (!linked) await fsyncPath(path);
  }

  /** Move blobs to their places. Call it with the store's lock held, before the index is written. */
  async publish(digests: Iterable<Digest>): Promise<void> {
    const { root, durable } = this.#context;
    for (const digest of new Set(digests)) {
      const blob = this.#blobs.get(digest);
      if (blob === undefined) throw new TypeError(`blob ${digest} was not staged`);
      await rename(blob.path, blobPath(root, digest));
      failpoint("ingest.blob-published");
    }
    if (durable) await fsyncPath(blobsDir(root));
    failpoint("ingest.blobs-durable");
  }

  /** Throw away what was not published. Never throws: what cannot be removed, on a disk that fails, is garbage. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeStaging(this.#dir).catch(() => {});
    this.#owner.release();
  }
}
