import type { Digest } from "@strata/core";
import type { ImageRecord } from "../content/image-record.ts";
import { nameOf } from "../images/references.ts";
import { layersOf } from "../ingest/ingest-image.ts";

/** A layer as images have it: its blob, and the place it has in a chain. */
export interface StoredLayer {
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
  readonly diffId: Digest;
  readonly blob: Digest;
  readonly size: number;
  /** One of the images that have it, for people. */
  readonly image: string;
}

/** The layers of images without repetition, parents before children. */
export function storedLayers(images: readonly ImageRecord[]): StoredLayer[] {
  const layers = new Map<string, StoredLayer>();
  for (const image of images) {
    for (const [index, { blob, size, diffId }] of layersOf(image).entries()) {
      const chainId = image.chainIds[index];
      const key = `${chainId} ${blob}`;
      if (chainId === undefined || layers.has(key)) continue;
      const parent = image.chainIds[index - 1];
      layers.set(key, { chainId, parent, diffId, blob, size, image: nameOf(image.entries) });
    }
  }
  return [...layers.values()];
}
