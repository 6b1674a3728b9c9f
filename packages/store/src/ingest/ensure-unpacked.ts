import { type Digest, isStrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { layerSizesOf, updateIndex } from "../content/image-index.ts";
import type { ImageRecord } from "../content/image-record.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { imageIdOf } from "../images/references.ts";
import { reclaim } from "../reclaim.ts";
import { bringLayers } from "./bring-layers.ts";
import { layersOf } from "./ingest-image.ts";
import type { IngestOptions, LayerPlan } from "./layer-input.ts";
import type { LayerFacts } from "./snapshot-labels.ts";
import { Staging } from "./staging.ts";

/**
 * Have the layers of an image of the store unpacked by this driver: they are not, if the image came in under another
 * one, or was pushed; then the sizes of its layers get known, too. Cost: one look at the top layer, if there is nothing to do.
 * @throws StrataError `Corrupt`, if a layer's blob is gone or damaged
 */
export async function ensureUnpacked(
  context: StoreContext,
  image: ImageRecord,
  options: IngestOptions = {},
): Promise<void> {
  const top = image.chainIds.at(-1);
  if (top === undefined || (await isThere(context, top))) return;
  await using staging = await Staging.open(context, options.signal);
  try {
    await noteSizes(context, image, await bringLayers(context, staging, plansOf(image), options));
  } catch (error) {
    await takeBack(context, staging).catch(() => {
      // The first error says more; what is left is garbage that gc recognises.
    });
    throw error;
  }
}

async function noteSizes(
  context: StoreContext,
  { id, chainIds, entries: [known] }: ImageRecord,
  layers: ReadonlyMap<Digest, LayerFacts>,
): Promise<void> {
  if (layerSizesOf(known) !== undefined) return;
  const sizes = chainIds.map((chainId) => layers.get(chainId)?.contentBytes ?? 0).join(",");
  await withStoreLock(context.root, async () => {
    await updateIndex(context, (entries) =>
      entries.map((entry) =>
        imageIdOf(entry) === id
          ? { ...entry, annotations: { ...entry.annotations, "dev.strata.layer.sizes": sizes } }
          : entry,
      ),
    );
  });
}

async function takeBack(context: StoreContext, staging: Staging): Promise<void> {
  await staging.removeActives();
  await reclaim(context);
}

function plansOf(image: ImageRecord): LayerPlan[] {
  return layersOf(image).flatMap(({ blob, size, diffId }, index): LayerPlan[] => {
    const chainId = image.chainIds[index];
    const input = { what: `layer ${diffId} of image ${image.id}`, blob, size };
    return chainId ? [{ chainId, parent: image.chainIds[index - 1], diffId, input }] : [];
  });
}

async function isThere({ driver }: StoreContext, id: string): Promise<boolean> {
  try {
    await driver.stat(id);
    return true;
  } catch (error) {
    if (isStrataError(error, "NotFound")) return false;
    throw error;
  }
}
