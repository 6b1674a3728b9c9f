import { type Digest, isStrataError } from "@strata/core";
import { readBlob } from "../content/blobs.ts";
import type { HostedEntry, IndexEntry, StoreIndex } from "../content/image-index.ts";
import { indexSchema, parseDocument } from "../documents.ts";
import { isIndexType } from "../media-types.ts";
import { repositoryOf, withHosted } from "./entries.ts";

/**
 * The index after a change, with those images that it takes out of a repository kept there by their digest, if an index
 * names them: for who pulls that. Cost: if there is any that it takes out, reads each index that was pushed.
 */
export async function keptForIndexes(
  root: string,
  before: StoreIndex,
  after: StoreIndex,
): Promise<StoreIndex> {
  const placeOf = (entry: IndexEntry): string => `${repositoryOf(entry)}@${entry.digest}`;
  const there = new Set(after.images.map(placeOf));
  const lost = before.images.filter((entry) => !there.has(placeOf(entry)));
  if (lost.length === 0) return after;
  let kept = after;
  for (const index of after.hosted) {
    const name = index.annotations["dev.strata.repository"];
    for (const digest of await childrenOf(root, index)) {
      const entry = lost.find((each) => each.digest === digest && repositoryOf(each) === name);
      if (entry !== undefined) kept = withHosted(kept, name, undefined, entry);
    }
  }
  return kept;
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
