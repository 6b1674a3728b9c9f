import type { Digest } from "@strata/core";
import { inContext } from "../in-context.ts";
import { decompress } from "../streams/decompress.ts";
import { readRange } from "../streams/range.ts";
import { hashLayer } from "./hash-layer.ts";
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
  return await inContext(what, signal, async () => {
    let path = staging.newFile();
    let hashed = await hashLayer(bytes, { ...options, keepAs: path });
    if (layerMediaType(hashed.compression) === undefined) {
      const plain = await decompress(readRange({ path }), limits);
      path = staging.newFile();
      hashed = await hashLayer(plain.bytes, { ...options, keepAs: path });
    }
    const { blob, blobSize, diffId } = hashed;
    return { input: { what, source: { path }, staged: true, blob, size: blobSize }, diffId };
  });
}
