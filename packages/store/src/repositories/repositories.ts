import { type FileHandle, open, unlink } from "node:fs/promises";
import { attempt, type Digest, errnoCode, StrataError, toStrataError } from "@strata/core";
import { listContainers } from "../containers/records.ts";
import { blobSize, readBlob } from "../content/blobs.ts";
import type { StoreContext } from "../content/context.ts";
import { readStoreIndex, referenceOf, type StoreIndex, updateStoreIndex } from "../content/image-index.ts";
import { blobPath } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { liveBlobs } from "../images/content.ts";
import { parseName } from "../reference.ts";
import { entriesOf, findManifest, repositoryOf, withoutManifest, withoutTag } from "./entries.ts";
import { PendingBlobs } from "./pending-blobs.ts";
import { type NewManifest, type PutManifest, putManifest } from "./put-manifest.ts";
import { type Referrer, referrersAmong } from "./referrers.ts";
import { Upload } from "./upload.ts";

/** A manifest of a repository. */
export interface ManifestDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A manifest by what names it. */
export type ManifestName = { readonly tag: string } | { readonly digest: Digest };

/**
 * The store as registries see theirs: repositories with tags, manifests and blobs. Names are given in full form,
 * `docker.io/library/debian`.
 *
 * - A repository is there as soon as something in it is. Images have theirs by their references.
 * - A manifest may be an image of the store, or anything else that a registry keeps: indexes, artifacts, images of other
 *   platforms that an index names. These, and what they lead to, gc leaves alone, too.
 * - Blobs belong to the store as a whole. A pushed one waits in a staging directory of this process until a manifest
 *   names it; when this is closed, or the process dies, those that none has named are garbage.
 * - What is taken out of a repository leaves its bytes to gc.
 */
export class Repositories implements AsyncDisposable {
  readonly #context: StoreContext;
  readonly #pending: PendingBlobs;
  readonly #uploads = new Map<string, Upload>();

  constructor(context: StoreContext) {
    this.#context = context;
    this.#pending = new PendingBlobs(context);
  }

  /** All repositories, as docker names them, sorted. */
  async names(): Promise<string[]> {
    const { images, hosted } = await this.#index();
    const names = new Set([...images, ...hosted].map(repositoryOf));
    return [...names].flatMap((name) => (name === undefined ? [] : parseName(name).familiarName)).sort();
  }

  /** The tags of a repository, sorted; undefined, if there is none of this name. */
  async tags(name: string): Promise<string[] | undefined> {
    const entries = entriesOf(await this.#index(), name);
    if (entries.length === 0) return undefined;
    const prefix = `${name}:`;
    return entries
      .flatMap((entry) => referenceOf(entry) ?? [])
      .filter((reference) => reference.startsWith(prefix) && !reference.includes("@"))
      .map((reference) => reference.slice(prefix.length))
      .sort();
  }

  async manifest(name: string, which: ManifestName): Promise<ManifestDescriptor | undefined> {
    const entry = findManifest(await this.#index(), name, which);
    return entry && { mediaType: entry.mediaType, digest: entry.digest, size: entry.size };
  }

  /** @throws StrataError `Corrupt`, if it is gone or damaged */
  async readManifest({ digest }: ManifestDescriptor): Promise<Buffer> {
    return await readBlob(this.#context.root, digest, `manifest ${digest}`);
  }

  /** What says something about a manifest, which need not be there. Cost: reads each manifest of the repository. */
  async referrers(name: string, subject: string): Promise<Referrer[]> {
    return await referrersAmong(this.#context.root, entriesOf(await this.#index(), name), subject);
  }

  /** As {@link putManifest}. */
  async putManifest(name: string, manifest: NewManifest): Promise<PutManifest> {
    return await attempt(`put a manifest into ${name}`, () =>
      putManifest(this.#context, this.#pending, name, manifest),
    );
  }

  /** Take a tag away; its manifest stays, by its digest. @returns whether it was there */
  async removeTag(name: string, tag: string): Promise<boolean> {
    return await this.#change({ tag }, name, async (index) => withoutTag(index, name, tag));
  }

  /**
   * Take a manifest out of a repository, with all tags that it has there. An image with a container, or one that another
   * was committed on, stays in the store without a name.
   * @returns whether it was there
   */
  async removeManifest(name: string, digest: Digest): Promise<boolean> {
    return await this.#change({ digest }, name, async (index) => {
      const users = new Set((await listContainers(this.#context)).map(({ imageId }) => imageId));
      const parents = new Set(index.images.map((entry) => entry.annotations["dev.strata.parent.id"]));
      return withoutManifest(index, name, digest, (id) => users.has(id) || parents.has(id));
    });
  }

  /** The size of a blob in bytes; undefined, if it is not there. */
  async blobSize(digest: Digest): Promise<number | undefined> {
    return this.#pending.sizeOf(digest) ?? (await blobSize(this.#context.root, digest));
  }

  /** Open a blob: it can be read to its end, whatever becomes of it meanwhile. */
  async openBlob(digest: Digest): Promise<FileHandle | undefined> {
    try {
      return await this.#pending.use(digest, (path) => open(path, "r"));
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return undefined;
      throw toStrataError(error, `blob ${digest}`);
    }
  }

  /** Keep a blob that is in the store for a manifest that is to come. @returns whether it is there */
  async holdBlob(digest: Digest): Promise<boolean> {
    return await attempt(`blob ${digest}`, () => this.#pending.hold(digest));
  }

  /**
   * @returns whether it was there
   * @throws StrataError `FailedPrecondition`, if a manifest needs it
   */
  async removeBlob(digest: Digest): Promise<boolean> {
    const { root } = this.#context;
    return await withStoreLock(root, async () => {
      if ((await liveBlobs(root)).has(digest)) {
        const message = `blob ${digest} is needed by a manifest: remove that first`;
        throw new StrataError("FailedPrecondition", message);
      }
      const wasPending = await this.#pending.drop(digest);
      try {
        await unlink(blobPath(root, digest));
        return true;
      } catch (error) {
        if (errnoCode(error) === "ENOENT") return wasPending;
        throw error;
      }
    });
  }

  /** Begin to bring in a blob. */
  async beginUpload(name: string): Promise<Upload> {
    return await attempt("begin an upload", async () => {
      const upload = await Upload.begin(name, await this.#pending.newFile());
      this.#uploads.set(upload.id, upload);
      return upload;
    });
  }

  upload(name: string, id: string): Upload | undefined {
    const upload = this.#uploads.get(id);
    return upload?.repository === name ? upload : undefined;
  }

  get uploadCount(): number {
    return this.#uploads.size;
  }

  /**
   * Make a blob of what has arrived.
   * @throws StrataError `NotFound`, if the upload is over already
   * @throws StrataError `InvalidArgument`, if its digest is another; nothing of it is left then
   */
  async finishUpload(upload: Upload, digest: Digest): Promise<void> {
    // From here on, nobody else finds it; who had found it before is refused.
    if (!this.#uploads.delete(upload.id)) throw new StrataError("NotFound", "the upload is over");
    const actual = await upload.end();
    if (actual !== digest) {
      await upload.discard();
      throw new StrataError("InvalidArgument", `the digest of what came is ${actual}, not ${digest}`);
    }
    await attempt(`blob ${digest}`, async () => {
      await upload.trim();
      await this.#pending.add(digest, upload.path, upload.offset);
    });
  }

  async cancelUpload(upload: Upload): Promise<void> {
    this.#uploads.delete(upload.id);
    await upload.discard();
  }

  /** Forget uploads that nobody has gone on with, and blobs that no manifest has named, for so long. */
  async expire(idleMs: number): Promise<void> {
    const limit = Date.now() - idleMs;
    for (const upload of this.#uploads.values()) {
      if (!upload.busy && upload.usedAt < limit) await this.cancelUpload(upload);
    }
    await this.#pending.dropOlderThan(limit);
  }

  /** Throw away what no manifest has named. Twice is fine. */
  async close(): Promise<void> {
    for (const upload of this.#uploads.values()) await upload.end();
    this.#uploads.clear();
    await this.#pending.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #index(): Promise<StoreIndex> {
    return await attempt("read the index", () => readStoreIndex(this.#context.root));
  }

  async #change(
    which: ManifestName,
    name: string,
    change: (index: StoreIndex) => Promise<StoreIndex>,
  ): Promise<boolean> {
    return await attempt(`change ${name}`, () =>
      withStoreLock(this.#context.root, async () => {
        const index = await readStoreIndex(this.#context.root);
        if (findManifest(index, name, which) === undefined) return false;
        const changed = await change(index);
        await updateStoreIndex(this.#context, () => changed);
        return true;
      }),
    );
  }
}
