import { type Digest, isDigest, isStrataError } from "@strata/core";
import { blobSize, readBlob } from "../content/blobs.ts";
import { type IndexEntry, readIndex, readOthers } from "../content/image-index.ts";
import { readImage } from "../content/image-record.ts";
import { indexSchema, manifestSchema, maxDocumentBytes } from "../documents.ts";

/** What images are made of. */
export interface ImageContent {
  /** Manifests, configs and layers. */
  readonly blobs: ReadonlySet<Digest>;
  /** The snapshots of the layers; those of one image from the bottom up. */
  readonly chains: ReadonlySet<Digest>;
}

/**
 * What the images of some entries are made of.
 * @throws StrataError `Corrupt`, if a manifest or config is gone or damaged: then nobody can tell
 */
export async function contentOf(root: string, entries: readonly IndexEntry[]): Promise<ImageContent> {
  const blobs = new Set<Digest>();
  const chains = new Set<Digest>();
  // One image may have come with several manifests.
  for (const entry of new Map(entries.map((each) => [each.digest, each])).values()) {
    const image = await readImage(root, [entry]);
    for (const blob of [image.digest, image.id]) blobs.add(blob);
    for (const layer of image.manifest.layers) blobs.add(layer.digest);
    for (const chain of image.chainIds) chains.add(chain);
  }
  return { blobs, chains };
}

/**
 * The blobs that must stay: those of the store's images, what else was pushed to it, and whatever other programs have put
 * into its index, as `skopeo copy` does. Call it with the store's lock held.
 * @throws StrataError `Corrupt`, as {@link contentOf}, and if another manifest or index is damaged
 */
export async function liveBlobs(root: string): Promise<Set<Digest>> {
  const { blobs } = await contentOf(root, await readIndex(root));
  const live = new Set(blobs);
  for (const digest of await readOthers(root)) await addReachable(root, digest, live, readDocument);
  return live;
}

/** A manifest or index, and all that it leads to, as far as that is there and can be read. */
export async function reachableFrom(root: string, digest: Digest): Promise<Set<Digest>> {
  const found = new Set<Digest>();
  await addReachable(root, digest, found, readWhole);
  return found;
}

/** Add a manifest or index, and all that it leads to, as far as `read` reads it. */
async function addReachable(
  root: string,
  digest: unknown,
  found: Set<Digest>,
  read: typeof readDocument,
): Promise<void> {
  if (!isDigest(digest) || found.has(digest)) return;
  found.add(digest);
  const document = await read(root, digest);
  const manifest = manifestSchema.safeParse(document);
  if (manifest.success) {
    for (const blob of [manifest.data.config, ...manifest.data.layers]) found.add(blob.digest);
  }
  const index = indexSchema.safeParse(document);
  for (const child of index.data?.manifests ?? []) await addReachable(root, child.digest, found, read);
}

/** As {@link readDocument}, and undefined if it is damaged. */
async function readWhole(root: string, digest: Digest): Promise<unknown> {
  try {
    return await readDocument(root, digest);
  } catch (error) {
    if (isStrataError(error, "Corrupt")) return undefined;
    throw error;
  }
}

/**
 * What a blob says as JSON; undefined, if it is none, or is not there.
 * @throws StrataError `Corrupt`, if it is damaged
 */
async function readDocument(root: string, digest: Digest): Promise<unknown> {
  const size = await blobSize(root, digest);
  if (size === undefined || size > maxDocumentBytes) return undefined;
  const bytes = await readBlob(root, digest, `blob ${digest}`);
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
