import type { Digest } from "@strata/core";
import { parseReference } from "../reference.ts";
import { type IndexEntry, readIndex, referenceOf } from "./image-index.ts";

/** What the store has under a reference. */
export interface CurrentImage {
  /** The image ID. */
  readonly id: Digest;
  /** Of the manifest. */
  readonly digest: Digest;
  /** Of the index that the manifest was chosen from, where it was pulled. */
  readonly indexDigest?: Digest;
  readonly platform?: NonNullable<IndexEntry["platform"]>;
}

/**
 * What the store has under a reference, or undefined if it has nothing. Who asks a registry for the same reference, and
 * hears either digest, has nothing to pull for that platform. Cost: reads one small file, and no document.
 * @param root - of the store, which need not be open
 * @throws StrataError `InvalidArgument`, if it is no reference
 */
export async function currentImage(root: string, reference: string): Promise<CurrentImage | undefined> {
  const wanted = parseReference(reference).toString();
  const entry = (await readIndex(root)).find((one) => referenceOf(one) === wanted);
  if (entry === undefined) return undefined;
  const { digest, platform, annotations } = entry;
  const indexDigest = annotations["dev.strata.index.digest"];
  return {
    id: annotations["dev.strata.image.id"],
    digest,
    ...(indexDigest && { indexDigest }),
    ...(platform && { platform }),
  };
}
