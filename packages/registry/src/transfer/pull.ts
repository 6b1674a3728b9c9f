import { type Digest, isStrataError } from "@strata/core";
import {
  currentImage,
  defaultTag,
  hostPlatform,
  parsePlatform,
  platformRank,
  type ReceiveOptions,
  type Reference,
  type RemoteImage,
  type Store,
} from "@strata/store";
import { type FetchedManifest, manifestTypes } from "../api/manifests.ts";
import type { RegistryClient, SourceOptions } from "../api/registry-client.ts";
import type { Registries } from "../registries.ts";
import { readBlob } from "./blob-reader.ts";

/** An image that was asked for and is in the store now. */
export interface PulledImage {
  /** In full form. */
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
 * Cost: one request, or none if the store has nothing under the reference.
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
  const current = await currentImage(root, reference.toString());
  if (current === undefined) return undefined;
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const isWanted = current.platform !== undefined && platformRank(wanted, current.platform) === 0;
  const head = await registries.repository(reference).headManifest(nameIn(reference), { signal });
  const digest = head?.digest;
  const isSame =
    (digest === current.digest && (isWanted || platform === undefined)) ||
    (digest !== undefined && digest === current.indexDigest && isWanted);
  return isSame ? { reference: reference.toString(), id: current.id, digest, isNew: false } : undefined;
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
  const client = registries.repository(reference);
  const before = await store.current(reference.toString());
  const attempt = async (source: SourceOptions): Promise<PulledImage> => {
    const manifest = await client.getManifest(nameIn(reference), { ...source, signal: options.signal });
    const [image] = await store.receive([remoteImage(client, reference, manifest, source)], options);
    if (image === undefined) throw new TypeError("one image is asked for, one comes");
    const { digest } = manifest;
    return { reference: reference.toString(), id: image.id, digest, isNew: before?.id !== image.id };
  };
  try {
    return await attempt({});
  } catch (error) {
    // A mirror may have sent wrong bytes; the registry itself is the one that is believed.
    const hasMirrors = registries.config.of(reference.registry).mirrors.length > 0;
    if (!hasMirrors || !isStrataError(error, "Corrupt")) throw error;
    return await attempt({ mirrors: false });
  }
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
    references: [reference.toString()],
    async *read({ digest, mediaType }, from, signal) {
      if (!manifestTypes.includes(mediaType)) yield* readBlob(client, digest, from, { ...source, signal });
      else yield (await client.getManifest(digest, { ...source, signal })).bytes;
    },
  };
}

/** A digest says what is meant; a tag beside it is only for people. */
function nameIn({ tag, digest }: Reference): string {
  return digest ?? tag ?? defaultTag;
}
