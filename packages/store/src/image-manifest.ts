import { StrataError } from "@strata/core";
import { type Manifest, manifestSchema, parseDocument } from "./documents.ts";
import { assertConfigType, assertLayerType, assertManifestType } from "./media-types.ts";

/** The bytes of a manifest, and what whoever points to it says that they are. */
export interface ManifestBytes {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/**
 * Read the manifest of a container image.
 * @param what - names it in errors
 * @throws StrataError `InvalidArgument`, if it is not what it must be; `Unsupported`, if it is of something else
 */
export function parseManifest({ bytes, mediaType }: ManifestBytes, what: string): Manifest {
  assertManifestType(mediaType, what);
  const manifest = parseDocument(manifestSchema, bytes, what);
  if (manifest.mediaType && manifest.mediaType !== mediaType) {
    throw new StrataError(
      "InvalidArgument",
      `${what} says it is ${manifest.mediaType}, what points to it ${mediaType}`,
    );
  }
  assertConfigType(manifest.config.mediaType, what);
  for (const layer of manifest.layers) assertLayerType(layer.mediaType, what);
  return manifest;
}
