import { StrataError } from "@strata/core";

/**
 * The media types of container images. Everything else that a registry or a layout can hold (signatures, charts,
 * encrypted layers) is refused by name.
 * @see OCI image-spec, media-types.md; docker's image manifest version 2, schema 2
 */
const indexTypes = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);
const manifestTypes = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);
const configTypes = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);
const layerType =
  /^application\/vnd\.(oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?|docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?)$/;

export const ociManifestType = "application/vnd.oci.image.manifest.v1+json";

export function isIndexType(mediaType: string): boolean {
  return indexTypes.has(mediaType);
}

export function isManifestType(mediaType: string): boolean {
  return manifestTypes.has(mediaType);
}

/** @throws StrataError `Unsupported` */
export function assertManifestType(mediaType: string, what: string): void {
  if (!isManifestType(mediaType)) throw unsupported(what, "manifest", mediaType);
}

/** @throws StrataError `Unsupported` */
export function assertConfigType(mediaType: string, what: string): void {
  if (!configTypes.has(mediaType)) throw unsupported(what, "config", mediaType);
}

/** @throws StrataError `Unsupported` */
export function assertLayerType(mediaType: string, what: string): void {
  if (!layerType.test(mediaType)) throw unsupported(what, "layer", mediaType);
}

/** Whether others may be forbidden to pass the layer on, so that archives often come without it. */
export function isForeignLayer(mediaType: string): boolean {
  return /\.(nondistributable|foreign)\./.test(mediaType);
}

function unsupported(what: string, part: string, mediaType: string): StrataError {
  return new StrataError(
    "Unsupported",
    `${what}: the media type ${mediaType} is not that of a container image's ${part}`,
  );
}
