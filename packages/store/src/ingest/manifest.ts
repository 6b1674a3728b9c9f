import { stat } from "node:fs/promises";
import type { Digest } from "@strata/core";
import type { Compression } from "@strata/layer";
import { ociManifestType } from "../media-types.ts";
import { compressionOf } from "../streams/range.ts";
import type { Staging } from "./staging.ts";

const configType = "application/vnd.oci.image.config.v1+json";

const layerTypes: Partial<Record<Compression, string>> = {
  none: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
};

/** The media type of a layer, or undefined where OCI has none for its compression. */
export function layerMediaType(compression: Compression): string | undefined {
  return layerTypes[compression];
}

export interface ManifestLayer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The manifest of an image that came without one. The same layers give the same bytes.
 * @see OCI image-spec, manifest.md
 */
export function makeManifest(
  config: { digest: Digest; size: number },
  layers: readonly ManifestLayer[],
): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifestType,
      config: { mediaType: configType, ...config },
      layers,
    }),
  );
}

/** Describe blobs of the staging directory, each by its bytes. */
export async function manifestLayers(staging: Staging, blobs: readonly Digest[]): Promise<ManifestLayer[]> {
  const layers: ManifestLayer[] = [];
  for (const digest of blobs) {
    const path = staging.blobPath(digest);
    if (path === undefined) throw new TypeError(`blob ${digest} was not staged`);
    const mediaType = layerMediaType(await compressionOf({ path }));
    if (mediaType === undefined)
      throw new TypeError(`blob ${digest} has a compression that OCI does not know`);
    layers.push({ mediaType, digest, size: (await stat(path)).size });
  }
  return layers;
}
