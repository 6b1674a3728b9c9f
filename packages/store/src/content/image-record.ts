import { chainIds, type Digest } from "@strata/core";
import {
  configSchema,
  type ImageConfig,
  type Manifest,
  manifestSchema,
  parseDocument,
} from "../documents.ts";
import { repoDigestsOf, tagsOf } from "../images/references.ts";
import { readBlob } from "./blobs.ts";
import { type IndexEntry, layerSizesOf } from "./image-index.ts";

/** All that a store knows of one image. */
export interface ImageRecord {
  /** The image ID: the digest of the config's bytes. */
  readonly id: Digest;
  /** The digest of the manifest. */
  readonly digest: Digest;
  /** References with a tag, in full form, sorted. */
  readonly references: readonly string[];
  /** The repositories that name it, each with what it has there, an index or the manifest, in full form, sorted. */
  readonly repoDigests: readonly string[];
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly config: ImageConfig;
  /** The config's bytes as they came. */
  readonly configBytes: Buffer;
  /** Bottom first; as in the config. */
  readonly diffIds: readonly Digest[];
  /** Bottom first; the names of the snapshots. */
  readonly chainIds: readonly Digest[];
  /** Sizes of the regular files of each layer in bytes, bottom first; of its blob, as long as no driver has unpacked it. */
  readonly layerSizes: readonly number[];
  readonly parentId?: Digest;
  /** The entries of index.json that stand for it, one a reference. */
  readonly entries: readonly [IndexEntry, ...IndexEntry[]];
}

/**
 * Read an image's documents.
 * @param entries - all entries of index.json with the image's ID; where their manifests differ, the first counts
 * @throws StrataError `Corrupt`, if a document is gone or damaged
 */
export async function readImage(
  root: string,
  entries: readonly [IndexEntry, ...IndexEntry[]],
): Promise<ImageRecord> {
  const [entry] = entries;
  const id = entry.annotations["dev.strata.image.id"];
  const parentId = entry.annotations["dev.strata.parent.id"];
  const what = `image ${id}`;
  const manifestBytes = await readBlob(root, entry.digest, `manifest of ${what}`);
  const manifest = parseDocument(manifestSchema, manifestBytes, `manifest of ${what}`);
  const configBytes = await readBlob(root, id, `config of ${what}`);
  const config = parseDocument(configSchema, configBytes, `config of ${what}`);
  const diffIds = config.rootfs.diff_ids ?? [];
  return {
    id,
    digest: entry.digest,
    references: tagsOf(entries).map(String),
    repoDigests: repoDigestsOf(entries),
    manifest,
    manifestBytes,
    config,
    configBytes,
    diffIds,
    chainIds: chainIds(diffIds),
    layerSizes: layerSizesOf(entry) ?? manifest.layers.map(({ size }) => size),
    ...(parentId !== undefined && { parentId }),
    entries,
  };
}
