import {
  type ActiveSnapshot,
  type CommitOptions,
  type Digest,
  isStrataError,
  StrataError,
} from "@strata/core";
import { listContainers } from "../containers/records.ts";
import { mountPoint } from "../containers/snapshot.ts";
import type { StoreContext } from "../content/context.ts";
import { failpoint } from "../failpoint.ts";
import { sealAnew, sealOf } from "../ingest/seal-layer.ts";
import { reclaim } from "../reclaim.ts";
import { layerDifferences } from "./layer-differences.ts";
import { openCommitted } from "./stored-layer.ts";

/**
 * Have a layer right that may be damaged, or lost, after it was unpacked once more: if there is a difference, the new
 * files take the place of the old. Snapshots above it keep their parent; where they are copies of it, they keep what
 * they copied.
 * @param fresh - is committed, or removed
 * @throws StrataError `Busy`, if a container above it is mounted
 */
export async function replaceIfDamaged(
  context: StoreContext,
  chainId: Digest,
  fresh: ActiveSnapshot,
  options: CommitOptions,
): Promise<void> {
  const { signal } = options;
  const committed = await openCommitted(context, chainId);
  const differences = committed
    ? await layerDifferences(committed, fresh, { ...(signal && { signal }) })
    : "it is lost";
  if (differences === undefined) {
    await sealAnew(context, chainId, signal);
    await context.driver.remove(fresh.id);
  } else {
    // Also above one that seems lost: its files may be there, and only the record of it be damaged.
    const mounted = await mountedAbove(context, chainId);
    if (mounted.length > 0) {
      const message = `layer ${chainId}: ${differences}; unmount ${mounted.join(", ")}, and try again`;
      throw new StrataError("Busy", message);
    }
    await replaceLayer(chainId, fresh, options);
  }
  await reclaim(context);
}

/** Put a layer that was just unpacked in the place of the one that is there, if any is. */
export async function replaceLayer(
  chainId: Digest,
  fresh: ActiveSnapshot,
  options: CommitOptions,
): Promise<void> {
  const labels = { ...options.labels, ...(await sealOf(fresh.layout().dir, Infinity, options.signal)) };
  await fresh.commit(chainId, { ...options, labels, replace: true });
  failpoint("layer.replaced");
}

/** Containers that are mounted on top of a layer: overlayfs must not lose it below its feet. */
export async function mountedAbove(context: StoreContext, chainId: Digest): Promise<string[]> {
  const names: string[] = [];
  for (const record of await listContainers(context)) {
    if ((await mountPoint(context, record)) && (await isAbove(context, record.id, chainId))) {
      names.push(record.name);
    }
  }
  return names;
}

async function isAbove({ driver }: StoreContext, id: string, chainId: Digest): Promise<boolean> {
  try {
    for (let below = (await driver.stat(id)).parent; below; below = (await driver.stat(below)).parent) {
      if (below === chainId) return true;
    }
    return false;
  } catch (error) {
    if (isStrataError(error, "NotFound") || isStrataError(error, "Corrupt")) return true; // Nobody can tell.
    throw error;
  }
}
