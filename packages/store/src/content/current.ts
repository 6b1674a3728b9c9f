import { readFile } from "node:fs/promises";
import { type Digest, errnoCode } from "@strata/core";
import type { Descriptor, Manifest } from "../documents.ts";
import { parseReference } from "../reference.ts";
import { blobSize } from "./blobs.ts";
import { type IndexEntry, readIndex, referenceOf } from "./image-index.ts";
import { blobPath } from "./paths.ts";

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
 * The image that a reference names in the store; undefined if it names none, or there is no store, or for one whose blobs are gone or have another
 * size than they must: to be pulled again. Who asks a registry for the same reference, and hears either digest, has
 * nothing to pull for that platform.
 *
 * Cost: reads the index and one manifest, without the checks that other ways to an image make; a call for each blob.
 * @param root - of the store, which need not be open
 * @throws StrataError `InvalidArgument`, if it is no reference
 */
export async function currentImage(root: string, reference: string): Promise<CurrentImage | undefined> {
  const wanted = parseReference(reference).toString();
  const entries = await readIndex(root).catch((error: unknown) => {
    if (errnoCode(error) === "ENOENT") return [];
    throw error;
  });
  const entry = entries.find((one) => referenceOf(one) === wanted);
  if (entry === undefined || !(await isWhole(root, entry))) return undefined;
  const { digest, platform, annotations } = entry;
  const indexDigest = annotations["dev.strata.index.digest"];
  return {
    id: annotations["dev.strata.image.id"],
    digest,
    ...(indexDigest && { indexDigest }),
    ...(platform && { platform }),
  };
}

async function isWhole(root: string, entry: IndexEntry): Promise<boolean> {
  const hasSize = async ({ digest, size }: Pick<Descriptor, "digest" | "size">): Promise<boolean> =>
    (await blobSize(root, digest)) === size;
  if (!(await hasSize(entry))) return false;
  try {
    const { config, layers }: Manifest = JSON.parse(await readFile(blobPath(root, entry.digest), "utf8"));
    return (await Promise.all([config, ...layers].map(hasSize))).every(Boolean);
  } catch (error) {
    // It was checked when it came in: it is damaged.
    if (error instanceof SyntaxError || error instanceof TypeError) return false;
    throw error;
  }
}
