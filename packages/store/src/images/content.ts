import { type Digest, isDigest } from "@strata/core";
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
 * @throws StrataError `Corrupt`, as {@link contentOf}
 */
export async function liveBlobs(root: string): Promise<Set<Digest>> {
  const { blobs } = await contentOf(root, await readIndex(root));
  const live = new Set(blobs);
  for (const digest of await readOthers(root)) await addReachable(root, digest, live);
  return live;
}

/** A manifest or index, and all that it leads to, as far as that is there and can be read. */
export async function reachableFrom(root: string, digest: Digest): Promise<Set<Digest>> {
  const found = new Set<Digest>();
  await addReachable(root, digest, found);
  return found;
}

/** Add a manifest or index, and all that it leads to, as far as that is there and can be read. */
async function addReachable(root: string, digest: unknown, found: Set<Digest>): Promise<void> {
  if (!isDigest(digest) || found.has(digest)) return;
  found.add(digest);
  const size = await blobSize(root, digest);
  if (size === undefined || size > maxDocumentBytes) return;
  const document = parse(await readBlob(root, digest, `blob ${digest}`));
  const manifest = manifestSchema.safeParse(document);
  if (manifest.success) {
    for (const blob of [manifest.data.config, ...manifest.data.layers]) found.add(blob.digest);
  }
  const index = indexSchema.safeParse(document);
  for (const child of index.data?.manifests ?? []) await addReachable(root, child.digest, found);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
