import { type Digest, isDigest, type Labels, type SnapshotInfo, StrataError } from "@strata/core";

const blobLabel = "dev.strata.layer.blob";
const diffIdLabel = "dev.strata.layer.diff-id";
const blobSizeLabel = "dev.strata.layer.blob-size";
const contentLabel = "dev.strata.layer.size";
const ownersLabel = "dev.strata.layer.owners-ignored";

/** What is known of the layer that a committed snapshot was unpacked from. */
export interface LayerFacts {
  /** The blob whose bytes were seen to be this layer. */
  readonly blob: Digest;
  /** Its size in bytes. */
  readonly blobSize: number;
  readonly diffId: Digest;
  /** Bytes of its regular files. */
  readonly contentBytes: number;
  /** The owners and devices that it names were left out, since they could not, or were not to be made. */
  readonly ownersIgnored: boolean;
}

/** The facts as labels of the snapshot. */
export function layerLabels({ blob, blobSize, diffId, contentBytes, ownersIgnored }: LayerFacts): Labels {
  return {
    [blobLabel]: blob,
    [blobSizeLabel]: String(blobSize),
    [diffIdLabel]: diffId,
    [contentLabel]: String(contentBytes),
    ...(ownersIgnored && { [ownersLabel]: "true" }),
  };
}

/** @throws StrataError `Corrupt`, if the snapshot was not made by a store */
export function layerFacts({ id, labels }: SnapshotInfo): LayerFacts {
  const blob = labels[blobLabel];
  const diffId = labels[diffIdLabel];
  const blobSize = Number(labels[blobSizeLabel]);
  const contentBytes = Number(labels[contentLabel]);
  const areSizes = Number.isSafeInteger(blobSize) && Number.isSafeInteger(contentBytes);
  if (isDigest(blob) && isDigest(diffId) && areSizes) {
    return { blob, blobSize, diffId, contentBytes, ownersIgnored: labels[ownersLabel] === "true" };
  }
  throw new StrataError(
    "Corrupt",
    `snapshot ${id} has the name of a layer, but none of its labels; remove it and load the image again`,
  );
}
