import { type CommittedSnapshot, type Digest, isStrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
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

/** Undefined, if this driver has not unpacked it: then it is unpacked when a container needs it. */
export async function openCommitted(
  { driver }: StoreContext,
  chainId: Digest,
): Promise<CommittedSnapshot | undefined> {
  try {
    const snapshot = await driver.open(chainId);
    return snapshot.kind === "committed" ? snapshot : undefined;
  } catch (error) {
    // What cannot be read is for the driver's own check to report.
    if (isStrataError(error, "NotFound") || isStrataError(error, "Corrupt")) return undefined;
    throw error;
  }
}

/** Whether a driver has unpacked a layer, and its files are gone with all that was noted of it. */
export async function isLayerLost(
  { driver }: Pick<StoreContext, "driver">,
  chainId: Digest,
): Promise<boolean> {
  try {
    await driver.stat(chainId);
    return false;
  } catch (error) {
    if (isStrataError(error, "Corrupt")) return true;
    if (isStrataError(error, "NotFound")) return false;
    throw error;
  }
}
