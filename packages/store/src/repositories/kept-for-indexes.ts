import { type Digest, isStrataError } from "@strata/core";
import { readBlob } from "../content/blobs.ts";
import type { HostedEntry, IndexEntry, StoreIndex } from "../content/image-index.ts";
import { indexSchema, parseDocument } from "../documents.ts";
import { isIndexType } from "../media-types.ts";
import { findManifest, repositoryOf, withHosted } from "./entries.ts";

/**
 * Those of some images that an index of their repository names. Where the store loses them, they must stay for those who
 * pull the index. Cost: reads each index that was pushed.
 */
export async function namedByIndexes(
  root: string,
  images: readonly IndexEntry[],
  hosted: readonly HostedEntry[],
): Promise<IndexEntry[]> {
  const named = new Set<string>();
  for (const entry of hosted) {
    for (const digest of await childrenOf(root, entry)) named.add(`${repositoryOf(entry)}@${digest}`);
  }
  return images.filter((entry) => named.has(`${repositoryOf(entry)}@${entry.digest}`));
}

/** The index with those of `images` that are gone from their repositories kept there for others. */
export function withKept(index: StoreIndex, images: readonly IndexEntry[]): StoreIndex {
  return images.reduce((kept, entry) => {
    const name = repositoryOf(entry);
    return name === undefined || findManifest(kept, name, entry) !== undefined
      ? kept
      : withHosted(kept, name, undefined, entry);
  }, index);
}

/** The manifests that one names, if it is an index. None, if it is damaged: `check` says so. */
export async function childrenOf(root: string, { digest, mediaType }: HostedEntry): Promise<Digest[]> {
  if (!isIndexType(mediaType)) return [];
  try {
    const what = `index ${digest}`;
    const { manifests } = parseDocument(indexSchema, await readBlob(root, digest, what), what);
    return manifests.map((child) => child.digest);
  } catch (error) {
    if (!isStrataError(error)) throw error;
    return [];
  }
}
