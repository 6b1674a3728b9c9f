import type { Digest, Problem } from "@strata/core";
import { isLayerLost, openCommitted } from "../content/committed-layer.ts";
import type { StoreContext } from "../content/context.ts";
import type { ImageRecord } from "../content/image-record.ts";
import { Staging } from "../ingest/staging.ts";
import { isBlobIntact, reportBlob } from "./examine-blob.ts";
import { examineTree } from "./examine-tree.ts";
import type { ExamineOptions } from "./options.ts";
import { rebuildBlob } from "./rebuild-blob.ts";
import { storedLayers } from "./stored-layer.ts";

/** Look at the layers of all images of the store: their blobs, and what is unpacked of them. */
export async function* examineLayers(
  context: StoreContext,
  images: readonly ImageRecord[],
  options: ExamineOptions,
): AsyncGenerator<Problem> {
  await using staging = await Staging.open(context, options.signal);
  const seen = new Set<Digest>();
  const damaged = new Set<Digest | undefined>();
  for (const layer of storedLayers(images)) {
    const { chainId, parent, blob: digest, size, image } = layer;
    options.signal?.throwIfAborted();
    options.onProgress?.(`layer ${layer.diffId} of ${image}`);
    const committed = await openCommitted(context, chainId);
    const blob = { digest, size, what: `layer of ${image}`, image };
    const isIntact = await isBlobIntact(context, blob, options);
    if (!isIntact) {
      const rebuilt =
        options.repair && committed && (await rebuildBlob(context, staging, layer, committed, options));
      if (!rebuilt) yield await reportBlob(context, blob, options);
    }
    const isLost = committed === undefined && (await isLayerLost(context, chainId));
    // The driver's own check names it, and nothing on top of it can be unpacked.
    if (isLost && !(options.repair && isIntact)) damaged.add(chainId);
    if (committed === undefined && !isLost) continue;
    if (options.quick || !isIntact || seen.has(chainId) || damaged.has(chainId)) continue;
    seen.add(chainId);
    // What a layer does not say of a directory it takes from the layer below: that must be repaired first.
    const problem = damaged.has(parent) ? undefined : await examineTree(context, staging, layer, options);
    if (problem !== undefined || damaged.has(parent)) damaged.add(chainId);
    if (problem !== undefined) yield problem;
  }
}
