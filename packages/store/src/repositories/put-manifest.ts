import { readFile, writeFile } from "node:fs/promises";
import { type Digest, digestOf, errnoCode, isStrataError, StrataError } from "@strata/core";
import { blobSize } from "../content/blobs.ts";
import type { StoreContext } from "../content/context.ts";
import { type IndexEntry, updateStoreIndex } from "../content/image-index.ts";
import { withStoreLock } from "../content/store-lock.ts";
import {
  configSchema,
  type Descriptor,
  type ImageConfig,
  indexSchema,
  type Manifest,
  manifestSchema,
  maxDocumentBytes,
  parseDocument,
} from "../documents.ts";
import {
  assertConfigType,
  assertLayerType,
  isForeignLayer,
  isIndexType,
  isManifestType,
} from "../media-types.ts";
import { hostPlatform, platformRank } from "../platform.ts";
import { withHosted, withImage } from "./entries.ts";
import type { PendingBlobs } from "./pending-blobs.ts";
import { subjectOf } from "./referrers.ts";

/** A manifest on its way into a repository. */
export interface NewManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  /** @defaultValue it is there by its digest alone */
  readonly tag?: string;
}

export interface PutManifest {
  readonly digest: Digest;
  /** The manifest that it says something about. */
  readonly subject?: string;
}

/**
 * Put a manifest into a repository. It becomes an image of the store, if it is one that this host can have, or that has
 * a tag; it is unpacked when somebody needs it. Anything else is kept for others.
 *
 * The commit point is the replacement of the index; blobs that were pending are moved to their places before.
 * @throws StrataError `InvalidArgument`, if the document is not what its media type says
 * @throws StrataError `NotFound`, if something that it names is not there
 */
export async function putManifest(
  context: StoreContext,
  pending: PendingBlobs,
  name: string,
  { bytes, mediaType, tag }: NewManifest,
): Promise<PutManifest> {
  const { manifest, blobs, subject } = readManifest(bytes, mediaType);
  const image = manifest && (await asImage(context, pending, manifest, tag));
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  const { digest } = descriptor;

  const path = await pending.newFile();
  await writeFile(path, bytes, { mode: 0o600 });
  await pending.add(digest, path, bytes.length);
  try {
    await withStoreLock(context.root, async () => {
      const all = [...blobs, descriptor];
      for (const blob of all) assertSize(blob, await sizeOf(context.root, pending, blob.digest));
      await pending.publish(all.map((blob) => blob.digest));
      for (const blob of all) assertSize(blob, await blobSize(context.root, blob.digest));
      await updateStoreIndex(context, (index) =>
        image === undefined
          ? withHosted(index, name, tag, descriptor)
          : withImage(index, name, tag, { ...descriptor, ...image }),
      );
    });
  } catch (error) {
    await pending.drop(digest);
    throw error;
  }
  return { digest, ...(subject !== undefined && { subject }) };
}

interface ReadManifest {
  /** Undefined for an index. */
  readonly manifest?: Manifest;
  /** What must be there with it. */
  readonly blobs: readonly Blob[];
  readonly subject?: string;
}

type Blob = Pick<Descriptor, "digest" | "size" | "mediaType">;

function readManifest(bytes: Buffer, mediaType: string): ReadManifest {
  const what = `manifest ${digestOf(bytes)}`;
  if (isManifestType(mediaType)) {
    const manifest = parseDocument(manifestSchema, bytes, what);
    assertType(manifest.mediaType, mediaType, what);
    const layers = manifest.layers.filter((layer) => !isElsewhere(layer));
    return { manifest, blobs: [manifest.config, ...layers], ...subjectOf(manifest) };
  }
  if (isIndexType(mediaType)) {
    const index = parseDocument(indexSchema, bytes, what);
    assertType(index.mediaType, mediaType, what);
    return { blobs: index.manifests, ...subjectOf(index) };
  }
  throw new StrataError("InvalidArgument", `${what}: the media type ${mediaType} is not that of a manifest`);
}

/** A layer that others may be forbidden to pass on, and that says where it is to be had. */
function isElsewhere({ mediaType, urls }: Descriptor): boolean {
  return isForeignLayer(mediaType) && Boolean(urls?.length);
}

function assertType(said: string | null | undefined, mediaType: string, what: string): void {
  if (!said || said === mediaType) return;
  throw new StrataError("InvalidArgument", `${what} says it is ${said}, not ${mediaType}`);
}

/** What makes an entry of the index one of an image of this store; undefined, if it is none. */
async function asImage(
  { root }: StoreContext,
  pending: PendingBlobs,
  manifest: Manifest,
  tag: string | undefined,
): Promise<Pick<IndexEntry, "platform" | "annotations"> | undefined> {
  if (!hasImageTypes(manifest) || manifest.config.size > maxDocumentBytes) return undefined;
  const bytes = await readConfig(pending, manifest.config.digest);
  // One that is damaged is pushed anew, or found by check.
  const config = bytes && digestOf(bytes) === manifest.config.digest ? parseConfig(bytes) : undefined;
  if (config?.rootfs.diff_ids?.length !== manifest.layers.length) return undefined;
  if (tag === undefined && platformRank(hostPlatform(), config) === undefined) return undefined;
  for (const layer of manifest.layers.filter(isElsewhere)) {
    if ((await sizeOf(root, pending, layer.digest)) === undefined) return undefined;
  }
  const { os, architecture, variant } = config;
  return {
    platform: { os, architecture, ...(variant && { variant }) },
    annotations: { "dev.strata.image.id": manifest.config.digest },
  };
}

function hasImageTypes({ config, layers }: Manifest): boolean {
  try {
    assertConfigType(config.mediaType, "");
    for (const layer of layers) assertLayerType(layer.mediaType, "");
    return true;
  } catch (error) {
    if (isStrataError(error, "Unsupported")) return false;
    throw error;
  }
}

async function readConfig(pending: PendingBlobs, digest: Digest): Promise<Buffer | undefined> {
  try {
    return await pending.use(digest, (path) => readFile(path));
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function parseConfig(bytes: Buffer): ImageConfig | undefined {
  try {
    return parseDocument(configSchema, bytes, "config");
  } catch (error) {
    if (isStrataError(error, "InvalidArgument")) return undefined;
    throw error;
  }
}

function assertSize({ digest, size, mediaType }: Blob, actual: number | undefined): void {
  if (actual === size) return;
  if (actual === undefined) throw new StrataError("NotFound", `${mediaType} ${digest} is not here`);
  throw new StrataError("InvalidArgument", `${mediaType} ${digest} has ${actual} bytes, not ${size}`);
}

async function sizeOf(root: string, pending: PendingBlobs, digest: Digest): Promise<number | undefined> {
  return pending.sizeOf(digest) ?? (await blobSize(root, digest));
}
