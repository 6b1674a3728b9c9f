import type { Digest } from "@strata/core";
import type { ImageConfig, Manifest } from "../documents.ts";
import type { IndexEntry } from "./image-index.ts";

/** All that a store knows of one image. */
export interface ImageRecord {
  /** The image ID: the digest of the config's bytes. */
  readonly id: Digest;
  /** The digest of the manifest. */
  readonly digest: Digest;
  /** References with a tag, in full form, sorted. */
  readonly references: readonly string[];
  /** References with a digest, in full form, sorted. */
  readonly repoDigests: readonly string[];
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The config's bytes as they came. */
  readonly configBytes: Buffer;
  /** Bottom first; as in the config. */
  readonly diffIds: readonly Digest[];
  /** Bottom first; the names of the snapshots. */
  readonly chainIds: readonly Digest[];
  /** Sizes of the regular files of each layer in bytes, bottom first. */
  readonly layerSizes: readonly number[];
  readonly parentId?: Digest;
  /** The entries of index.json that stand for it, one a reference. */
  readonly entries: readonly IndexEntry[];
}
