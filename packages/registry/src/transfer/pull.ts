import { type Digest, isStrataError, type StrataError } from "@strata/core";
import {
  currentImage,
  defaultTag,
  hostPlatform,
  parsePlatform,
  platformRank,
  type ReceiveOptions,
  Reference,
  type RemoteImage,
  type Store,
} from "@strata/store";
import { faultOf } from "../api/fault.ts";
import { type FetchedManifest, manifestTypes } from "../api/manifests.ts";
import type { RegistryClient, SourceOptions } from "../api/registry-client.ts";
import { isTransientStatus } from "../http/retry.ts";
import type { Registries } from "../registries.ts";
import { readBlob } from "./blob-reader.ts";

/** An image that was asked for and is in the store now. */
export interface PulledImage {
  /** In full form: the one that was asked for, but that a digest leaves no room for a tag. */
  readonly reference: string;
  /** The image ID. */
  readonly id: Digest;
  /** What the registry has under the reference: the digest of the image's manifest, or of an index of several. */
  readonly digest: Digest;
  /** Whether the reference named another image before, or none, or one that was damaged. */
  readonly isNew: boolean;
}

export interface FindCurrentOptions {
  /** As `PullOptions`. */
  readonly platform?: string;
  readonly signal?: AbortSignal;
}

export type PullOptions = ReceiveOptions;

/**
 * Find out whether a store has what a registry has under a reference, without opening the store.
 *
 * Cost: one request; none if the store has nothing under the reference, or that is a digest.
 * @param root - of the store
 * @returns undefined if there is something to {@link pull}
 * @throws StrataError as `RegistryClient.headManifest`
 */
export async function findCurrent(
  root: string,
  registries: Registries,
  reference: Reference,
  { platform, signal }: FindCurrentOptions = {},
): Promise<PulledImage | undefined> {
  const name = nameOf(reference);
  const current = await currentImage(root, name);
  if (current === undefined) return undefined;
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const isWanted = current.platform !== undefined && platformRank(wanted, current.platform) === 0;
  const digest = reference.digest ?? (await headDigest(registries, reference, signal));
  const isSame =
    (digest === current.digest && (isWanted || platform === undefined)) ||
    (digest !== undefined && digest === current.indexDigest && isWanted);
  return isSame ? { reference: name, id: current.id, digest, isNew: false } : undefined;
}

/** @returns undefined, too, if a HEAD is refused: the GET of a {@link pull} may be answered, or tells why not. */
async function headDigest(
  registries: Registries,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  try {
    return (await registries.repository(reference).headManifest(manifestIn(reference), { signal }))?.digest;
  } catch (error) {
    const status = faultOf(error)?.status;
    if (status === undefined || status >= 500 || isTransientStatus(status)) throw error;
    return undefined;
  }
}

/**
 * Bring in the image that a registry has under a reference: its layers unpacked while they arrive, every digest
 * verified. What the store has is not asked for. After a failure, an abort or the end of the process, the next pull goes
 * on from the bytes that had come.
 * @throws StrataError as `RegistryClient` and `Store.receive`
 */
export async function pull(
  store: Store,
  registries: Registries,
  reference: Reference,
  options: PullOptions = {},
): Promise<PulledImage> {
  const before = await store.current(nameOf(reference));
  const attempt = async (source: SourceOptions): Promise<PulledImage> => {
    const { id, digest } = await receiveFrom(store, registries, reference, source, options);
    return { reference: nameOf(reference), id, digest, isNew: before?.id !== id };
  };
  try {
    return await attempt({});
  } catch (error) {
    const hasMirrors = registries.config.of(reference.registry).mirrors.length > 0;
    if (!hasMirrors || !canBeOfMirror(error)) throw error;
    registries.notice(`mirrors of ${reference.registry} are passed over: ${error.message}`);
    return await attempt({ mirrors: false });
  }
}

/** Whether a mirror may have sent what is wrong, or out of date: the registry itself is the one that is believed. */
function canBeOfMirror(error: unknown): error is StrataError {
  return (
    isStrataError(error) && ["Corrupt", "InvalidArgument", "Unsupported", "NotFound"].includes(error.code)
  );
}

async function receiveFrom(
  store: Store,
  registries: Registries,
  reference: Reference,
  source: SourceOptions,
  options: PullOptions,
): Promise<{ id: Digest; digest: Digest }> {
  const client = registries.repository(reference);
  const { signal } = options;
  const manifest = await client.getManifest(manifestIn(reference), { ...source, signal });
  const [image] = await store.receive([remoteImage(client, reference, manifest, source)], options);
  if (image === undefined) throw new TypeError("one image is asked for, one comes");
  return { id: image.id, digest: manifest.digest };
}

function remoteImage(
  client: RegistryClient,
  reference: Reference,
  { bytes, mediaType }: FetchedManifest,
  source: SourceOptions,
): RemoteImage {
  return {
    what: reference.familiar(),
    manifest: { bytes, mediaType },
    references: [nameOf(reference)],
    async *read(descriptor, from, signal) {
      const { digest, mediaType } = descriptor;
      if (!manifestTypes.includes(mediaType))
        yield* readBlob(client, descriptor, from, { ...source, signal });
      else yield (await client.getManifest(digest, { ...source, signal })).bytes;
    },
  };
}

/** What the image is called in the store. A digest says what is meant: as docker, without the tag beside it. */
function nameOf({ registry, repository, tag, digest }: Reference): string {
  return new Reference(registry, repository, digest ? undefined : (tag ?? defaultTag), digest).toString();
}

/** What the registry knows the image's manifest by. */
function manifestIn({ tag, digest }: Reference): string {
  return digest ?? tag ?? defaultTag;
}
