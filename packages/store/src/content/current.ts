import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chainIds, type Digest, errnoCode, type PeekedSnapshot, peekCommitted } from "@strata/core";
import type { Descriptor, ImageConfig, Manifest } from "../documents.ts";
import { findNamed } from "../images/references.ts";
import { parseReference } from "../reference.ts";
import { blobSize } from "./blobs.ts";
import { type IndexEntry, readIndex } from "./image-index.ts";
import { blobPath, driversDir } from "./paths.ts";
import { glanceEntries, isAsSealed, isOfThisBoot, sealedEntries, sealIn } from "./seal.ts";

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
 * The image that a reference names in the store; undefined if it names none, or there is no store, or for one that is to
 * be pulled again: a blob is gone or has another size than it must, or what is unpacked is not as it was sealed. Who asks
 * a registry for the same reference, and hears either digest, has nothing to pull for that platform.
 *
 * Cost: reads the index, two documents without the checks that other ways to an image make, and a small file a layer; a
 * call for each blob, and one for each file of up to 4,096, or of a larger image for 64 a layer.
 * @param root - of the store, which need not be open
 * @param driverRoots - of the drivers that may have it unpacked: one must, and all that do must have it right.
 *   @defaultValue those in the store's root
 * @throws StrataError `InvalidArgument`, if it is no reference
 */
export async function currentImage(
  root: string,
  reference: string,
  driverRoots = driversIn(root),
): Promise<CurrentImage | undefined> {
  const wanted = parseReference(reference);
  const entries = await readIndex(root).catch((error: unknown) => {
    if (errnoCode(error) === "ENOENT") return [];
    throw error;
  });
  const entry = findNamed(entries, wanted);
  if (entry === undefined || !(await isWhole(root, entry, driverRoots))) return undefined;
  const { digest, platform, annotations } = entry;
  const indexDigest = annotations["dev.strata.index.digest"];
  return {
    id: annotations["dev.strata.image.id"],
    digest,
    ...(indexDigest && { indexDigest }),
    ...(platform && { platform }),
  };
}

async function isWhole(root: string, entry: IndexEntry, driverRoots: readonly string[]): Promise<boolean> {
  const hasSize = async ({ digest, size }: Pick<Descriptor, "digest" | "size">): Promise<boolean> =>
    (await blobSize(root, digest)) === size;
  if (!(await hasSize(entry))) return false;
  try {
    const { config, layers }: Manifest = JSON.parse(await readFile(blobPath(root, entry.digest), "utf8"));
    if (!(await Promise.all([config, ...layers].map(hasSize))).every(Boolean)) return false;
    const { rootfs }: ImageConfig = JSON.parse(await readFile(blobPath(root, config.digest), "utf8"));
    return areUnpacked(chainIds(rootfs.diff_ids ?? []), driverRoots);
  } catch (error) {
    // They were checked when they came in: one is damaged. Or another process has just removed the image.
    if (error instanceof SyntaxError || error instanceof TypeError || errnoCode(error) === "ENOENT")
      return false;
    throw error;
  }
}

function areUnpacked(chain: readonly Digest[], driverRoots: readonly string[]): boolean {
  if (chain.length === 0) return true;
  const found = driverRoots.map((root) => chain.map((name) => peekCommitted(root, name)));
  const used = found.filter((layers) => layers.some(Boolean));
  return used.length > 0 && used.every(areRight);
}

/** @param layers - of one driver, bottom first */
function areRight(layers: readonly (PeekedSnapshot | undefined)[]): boolean {
  const sealed = layers.flatMap((layer, index) => {
    const seal = layer && sealIn(layer.labels);
    const isInPlace = layer?.parentPlace === layers[index - 1]?.place;
    return layer && seal && isInPlace ? [{ layer, seal }] : [];
  });
  if (sealed.length < layers.length) return false;
  const isLarge = sealed.reduce((sum, { seal }) => sum + sealedEntries(seal), 0) > glanceEntries;
  // All of a large one is looked at by who pulls it, and seals it anew.
  if (isLarge && !sealed.every(({ seal }) => isOfThisBoot(seal))) return false;
  return sealed.every(({ layer, seal }) => resultOf(isAsSealed(`${layer.dir}/${seal.dir}`, seal, isLarge)));
}

function driversIn(root: string): string[] {
  try {
    return readdirSync(driversDir(root)).map((name) => join(driversDir(root), name));
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return [];
    throw error;
  }
}

function resultOf<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
