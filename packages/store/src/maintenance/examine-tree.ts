import type { ActiveSnapshot, Problem } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { blobPath } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { removeActive } from "../ingest/reap.ts";
import { layerFacts } from "../ingest/snapshot-labels.ts";
import type { Staging } from "../ingest/staging.ts";
import { noLimits } from "../no-limits.ts";
import { reclaim } from "../reclaim.ts";
import { layerDifferences } from "./layer-differences.ts";
import type { ExamineOptions } from "./options.ts";
import { mountedAbove, replaceLayer } from "./replace-layer.ts";
import { openCommitted, type StoredLayer } from "./stored-layer.ts";

/**
 * Unpack a layer a second time, from its blob, and compare what is in the store with it; repaired, the new files take
 * the place of the old.
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
    if (committed === undefined || !(await staging.linkBlob(layer.blob))) return undefined;
    const fresh = await context.driver.prepare(key, layer.parent, signalOf(options));
    await unpack(context, staging, layer, fresh, options);
    failpoint("repair.layer-unpacked");
    const differences = await layerDifferences(committed, fresh, signalOf(options));
    if (differences === undefined) return undefined;
    const problem = (advice: string): Problem => ({
      subject: `layer ${layer.chainId}`,
      message: `layer of ${layer.image}: ${differences}; ${advice}`,
    });
    if (!options.repair) return problem("repair the store; layers above it were not looked at");
    const mounted = await mountedAbove(context, layer.chainId);
    if (mounted.length > 0) return problem(`unmount ${mounted.join(", ")} and repair the store again`);
    const { labels } = await context.driver.stat(layer.chainId);
    await replaceLayer(layer.chainId, fresh, { labels, ...signalOf(options) });
    return undefined;
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
): Promise<void> {
  const { ownersIgnored } = layerFacts(await driver.stat(chainId));
  await (await workers()).apply({
    source: { path: staging.blobPath(blob) ?? blobPath(root, blob) },
    layout: fresh.layout(),
    expected: { blob, blobSize: size, diffId },
    limits: noLimits,
    ignoreOwnership: ownersIgnored,
    ...signalOf(options),
  });
}

function signalOf({ signal }: ExamineOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
