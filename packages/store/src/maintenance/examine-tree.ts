import type { ActiveSnapshot, Labels, Problem } from "@strata/core";
import { isLayerLost, openCommitted } from "../content/committed-layer.ts";
import type { StoreContext } from "../content/context.ts";
import { blobPath } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { differencesOf, mendLayer } from "../ingest/mend-layer.ts";
import { removeActive } from "../ingest/reap.ts";
import { layerFacts, layerLabels } from "../ingest/snapshot-labels.ts";
import type { Staging } from "../ingest/staging.ts";
import { noLimits } from "../no-limits.ts";
import { reclaim } from "../reclaim.ts";
import type { ExamineOptions } from "./options.ts";
import type { StoredLayer } from "./stored-layer.ts";

/**
 * Unpack a layer a second time, from its blob, and compare what is in the store with it; repaired, the new files take
 * the place of the old, and what is right is sealed anew. One that is lost is unpacked only to be repaired.
 * @returns what is wrong with it, unless it was repaired
 */
export async function examineTree(
  context: StoreContext,
  staging: Staging,
  layer: StoredLayer,
  options: ExamineOptions,
): Promise<Problem | undefined> {
  const key = staging.key(0);
  await withStoreLock(context.root, () => staging.hold([layer.chainId], [key]));
  try {
    // From here on neither goes. If one is gone already, another process has removed the image: that is no damage.
    const committed = await openCommitted(context, layer.chainId);
    const isLost = committed === undefined && (await isLayerLost(context, layer.chainId));
    if (committed === undefined && !isLost) return undefined;
    if (!(await staging.linkBlob(layer.blob))) return undefined;
    const fresh = await context.driver.prepare(key, layer.parent, signalOf(options));
    const labels = await unpack(context, staging, layer, fresh, options);
    failpoint("repair.layer-unpacked");
    const problem = (message: string): Problem => ({
      subject: `layer ${layer.chainId}`,
      message: `layer of ${layer.image}: ${message}`,
    });
    if (options.repair) {
      const hindrance = await mendLayer(context, layer.chainId, fresh, { labels, ...signalOf(options) });
      return hindrance === undefined ? undefined : problem(`${hindrance}, and repair the store again`);
    }
    const differences = await differencesOf(context, layer.chainId, fresh, options.signal);
    if (differences === undefined) return undefined;
    return problem(`${differences}; repair the store; layers above it were not looked at`);
  } finally {
    await removeActive(context, key);
    await reclaim(context);
  }
}

async function unpack(
  { driver, root, workers }: StoreContext,
  staging: Staging,
  { blob, chainId, size, diffId }: StoredLayer,
  fresh: ActiveSnapshot,
  options: ExamineOptions,
): Promise<Labels> {
  const isLost = await isLayerLost({ driver }, chainId);
  const ownersIgnored = isLost
    ? !driver.capabilities.ownership.supported
    : layerFacts(await driver.stat(chainId)).ownersIgnored;
  const applied = await (await workers()).apply({
    source: { path: staging.blobPath(blob) ?? blobPath(root, blob) },
    layout: fresh.layout(),
    expected: { blob, blobSize: size, diffId },
    limits: noLimits,
    ignoreOwnership: ownersIgnored,
    ...signalOf(options),
  });
  return layerLabels({ ...applied, ownersIgnored });
}

function signalOf({ signal }: ExamineOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
