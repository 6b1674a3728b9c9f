import type { Digest } from "@strata/core";
import { decompress } from "../archive/decompress.ts";
import { readRange } from "./bring-layers.ts";
import { type HashedLayer, hashLayer } from "./hash-layer.ts";
import type { IngestOptions, LayerInput } from "./layer-input.ts";
import { layerMediaType } from "./manifest.ts";
import type { Staging } from "./staging.ts";

/**
 * Write a layer that has no manifest into the staging directory, and find out its digests. It is kept as it comes,
 * unless OCI has no media type for its compression (bzip2, xz): then it is kept uncompressed.
 */
export async function stageLayer(
  staging: Staging,
  bytes: AsyncIterable<Uint8Array>,
  what: string,
  { limits, signal }: IngestOptions,
): Promise<{ input: LayerInput; diffId: Digest }> {
  const options = { ...(limits && { limits }), ...(signal && { signal }) };
  let path = staging.newFile();
  let hashed: HashedLayer = await hashLayer(bytes, what, { ...options, keepAs: path });
  if (layerMediaType(hashed.compression) === undefined) {
    const plain = await decompress(readRange({ path }), what, limits);
    path = staging.newFile();
    hashed = await hashLayer(plain.bytes, what, { ...options, keepAs: path });
  }
  const { blob, blobSize, diffId } = hashed;
  return { input: { what, source: { path }, staged: true, blob, size: blobSize }, diffId };
}
