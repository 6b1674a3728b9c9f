import { type Digest, isStrataError } from "@strata/core";
import type { RetryOptions } from "../http/retry.ts";
import type { BlobHead, BlobOptions, FetchedBlob } from "./blobs.ts";
import { faultOf } from "./fault.ts";
import {
  deleteManifest,
  type FetchedManifest,
  getManifest,
  headManifest,
  type ManifestHead,
  type ManifestOptions,
  putManifest,
} from "./manifests.ts";
import type { Referrer, ReferrersOptions } from "./referrers.ts";
import type { RepositoryAt } from "./repository.ts";
import type { Upload } from "./uploads.ts";

export interface SourceOptions {
  /** Whether mirrors are asked too; not, if one sent wrong bytes. @defaultValue true */
  readonly mirrors?: boolean;
}

/** Where a repository is: the registry, and its mirrors in their order. */
export interface RepositoryPlaces {
  readonly mirrors: () => Iterable<RepositoryAt>;
  readonly registry: (signal?: AbortSignal) => Promise<RepositoryAt>;
  /** Told why a mirror was passed over. */
  readonly passOver: (mirror: RepositoryAt, why: unknown) => void;
  readonly retry: Required<RetryOptions>;
}

/**
 * One repository of a registry: `library/debian` of `docker.io`.
 *
 * What is read (manifests, blobs) comes from the first mirror that has it, else from the registry itself; a mirror
 * that does not have it, or fails, is passed over with a notice. Lists are asked of the registry itself, since a mirror
 * may hold a part only, and of mirrors if the registry cannot be reached. What is written goes to the registry only.
 *
 * What a call needs is loaded when it is first made: to ask for a digest takes little of it.
 *
 * Every call sends its requests again after what passes (429, trouble of the server, a cut connection), takes an
 * AbortSignal, and rejects with the signal's reason. Errors, besides those named at a call:
 * - `NotFound`: the registry does not have it
 * - `FailedPrecondition`: the user is not allowed to, or not logged in; the host cannot be trusted or is not there; the
 *   registry wants something else first (`faultOf` has the status)
 * - `Busy`: too many requests, or out of service; `Aborted`: cut off, or the server's own trouble: later it can succeed
 * - `InvalidArgument`, `Unsupported`: the registry refuses what it was sent, or cannot do it
 * - `Corrupt`: what came is not what the digest says
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export class RegistryClient {
  readonly #places: RepositoryPlaces;

  constructor(places: RepositoryPlaces) {
    this.#places = places;
  }

  /** How its requests are tried again, for who goes on with a stream that broke off. */
  get retry(): Required<RetryOptions> {
    return this.#places.retry;
  }

  /**
   * A manifest or index, by tag or digest; its digest is verified against the one that was asked for, or that the
   * registry names. At most 4 MiB.
   * @throws StrataError `NotFound`: "manifest for R:T not found: manifest unknown: manifest unknown"
   */
  getManifest(reference: string, options: ManifestOptions & SourceOptions = {}): Promise<FetchedManifest> {
    return this.#read(options, (repository) => getManifest(repository, reference, options));
  }

  /** What {@link getManifest} would give, in a request without content; undefined if there is none. */
  async headManifest(
    reference: string,
    options: ManifestOptions & SourceOptions = {},
  ): Promise<ManifestHead | undefined> {
    return await this.#read(options, (repository) => headManifest(repository, reference, options));
  }

  /** Whether the repository has a blob, and how large it is; undefined if not. */
  async headBlob(
    digest: Digest,
    options: SourceOptions & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<BlobHead | undefined> {
    const { headBlob } = await import("./blobs.ts");
    return await this.#read(options, (repository) => headBlob(repository, digest, options.signal));
  }

  /**
   * A blob, from byte `from` on. Its digest is **not** verified. The stream breaks off with `Aborted` if the connection
   * does; asking again from the byte that was reached goes on.
   */
  async getBlob(digest: Digest, options: BlobOptions & SourceOptions = {}): Promise<FetchedBlob> {
    const { getBlob } = await import("./blobs.ts");
    return await this.#read(options, (repository) => getBlob(repository, digest, options));
  }

  /** The tags, page by page, in the registry's order. */
  async *tags(signal?: AbortSignal): AsyncGenerator<string> {
    const { listTags } = await import("./lists.ts");
    yield* this.#list(signal, (repository) => listTags(repository, signal));
  }

  /** The manifests whose subject is `digest`. */
  async *referrers(digest: Digest, options: ReferrersOptions = {}): AsyncGenerator<Referrer> {
    const { listReferrers } = await import("./referrers.ts");
    yield* this.#list(options.signal, (repository) => listReferrers(repository, digest, options));
  }

  /**
   * Publish a manifest under a tag or its digest, byte for byte. All that it names must be there already.
   * @returns its digest
   */
  async putManifest(
    reference: string,
    manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
    signal?: AbortSignal,
  ): Promise<Digest> {
    return await putManifest(await this.#places.registry(signal), reference, manifest, signal);
  }

  /** Delete a manifest with its tags (by digest), or a tag alone, where registries allow it; whether it was there. */
  async deleteManifest(reference: string, signal?: AbortSignal): Promise<boolean> {
    return await deleteManifest(await this.#places.registry(signal), reference, signal);
  }

  /** @returns whether it was there */
  async deleteBlob(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const { deleteBlob } = await import("./blobs.ts");
    return await deleteBlob(await this.#places.registry(signal), digest, signal);
  }

  /**
   * Have a blob of another repository of this registry appear in this one, without sending it.
   * @returns undefined if it has; else an upload to send it by, as registries begin one in its place
   */
  async mountBlob(digest: Digest, from: string, signal?: AbortSignal): Promise<Upload | undefined> {
    const { mountBlob } = await import("./uploads.ts");
    return await mountBlob(await this.#places.registry(signal), digest, from, signal);
  }

  /** Begin an upload. */
  async startUpload(signal?: AbortSignal): Promise<Upload> {
    const { startUpload } = await import("./uploads.ts");
    return await startUpload(await this.#places.registry(signal), signal);
  }

  /**
   * Go on with an upload that was begun, by whichever process.
   * @param location - {@link Upload.location} as it was after the last part
   * @returns undefined if the registry does not know it any more: begin a new one
   */
  async resumeUpload(location: string, signal?: AbortSignal): Promise<Upload | undefined> {
    const { Upload } = await import("./uploads.ts");
    const repository = await this.#places.registry(signal);
    const upload = new Upload(repository, repository.endpoint.checked(new URL(location)));
    return (await upload.status(signal)) === undefined ? undefined : upload;
  }

  async #read<T>(
    { mirrors = true, signal }: SourceOptions & { readonly signal?: AbortSignal | undefined },
    ask: (repository: RepositoryAt) => Promise<T>,
  ): Promise<T> {
    if (mirrors) {
      for (const mirror of this.#places.mirrors()) {
        try {
          const result = await ask(mirror);
          if (result !== undefined) return result;
          this.#places.passOver(mirror, undefined);
        } catch (error) {
          signal?.throwIfAborted();
          if (!isStrataError(error)) throw error;
          this.#places.passOver(mirror, error);
        }
      }
    }
    return await ask(await this.#places.registry(signal));
  }

  async *#list<T>(
    signal: AbortSignal | undefined,
    list: (repository: RepositoryAt) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    let begun = false;
    async function* follow(place: RepositoryAt): AsyncGenerator<T> {
      for await (const item of list(place)) {
        begun = true;
        yield item;
      }
    }
    try {
      yield* follow(await this.#places.registry(signal));
    } catch (error) {
      signal?.throwIfAborted();
      if (begun || !isOutOfReach(error)) throw error;
      for (const mirror of this.#places.mirrors()) {
        try {
          return yield* follow(mirror);
        } catch (failure) {
          signal?.throwIfAborted();
          if (begun || !isStrataError(failure)) throw failure;
          this.#places.passOver(mirror, failure);
        }
      }
      throw error;
    }
  }
}

/** Whether nobody answered, as opposed to a refusal. */
function isOutOfReach(error: unknown): boolean {
  return (isStrataError(error, "Aborted") || isStrataError(error, "FailedPrecondition")) && !faultOf(error);
}
