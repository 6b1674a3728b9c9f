import { setTimeout } from "node:timers/promises";
import { type ActiveSnapshot, type CommitOptions, type Digest, isStrataError } from "@strata/core";
import { listContainers } from "../containers/records.ts";
import { mountPoint } from "../containers/snapshot.ts";
import { openCommitted } from "../content/committed-layer.ts";
import type { StoreContext } from "../content/context.ts";
import { failpoint } from "../failpoint.ts";
import { layerDifferences } from "./layer-differences.ts";
import { sealAnew, sealOf } from "./seal-layer.ts";

/** How often, and after which pause, something that is just being made from a layer is waited for. */
const attempts = 5;
const firstWaitMs = 100;

/**
 * Have a layer right that may be damaged, or lost, after it was unpacked once more: if there is a difference, the new
 * files take the place of the old. Snapshots above it keep their parent; where they are copies of it, they keep what
 * they copied. Either way it is sealed anew.
 * @param fresh - is committed, or removed; or left, if that fails
 * @returns what is wrong and what to do first, if a container above it is mounted; it is left as it is then
 * @throws StrataError `Busy`, if snapshots are being made from it all the time
 */
export async function mendLayer(
  context: StoreContext,
  chainId: Digest,
  fresh: ActiveSnapshot,
  options: CommitOptions,
): Promise<string | undefined> {
  const { signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    // Each time: another process may have mended it meanwhile.
    const differences = await differencesOf(context, chainId, fresh, signal);
    if (differences === undefined) {
      await sealAnew(context, chainId, signal);
      await context.driver.remove(fresh.id);
      return undefined;
    }
    // Also above one that seems lost: its files may be there, and only the record of it be damaged.
    const mounted = await mountedAbove(context, chainId);
    if (mounted.length > 0) return `${differences}; unmount ${mounted.join(", ")}`;
    try {
      const seal = await sealOf(fresh.layout().dir, Infinity, signal);
      await fresh.commit(chainId, { ...options, labels: { ...options.labels, ...seal }, replace: true });
      failpoint("layer.replaced");
      return undefined;
    } catch (error) {
      if (!isStrataError(error, "Busy") || attempt === attempts) throw error;
      await setTimeout(firstWaitMs * 2 ** (attempt - 1), undefined, { ...(signal && { signal }) }).catch(
        () => {
          // Only an abort rejects; the loop throws its reason.
        },
      );
    }
  }
}

/** What is wrong with a layer, in words; undefined, if nothing is. */
export async function differencesOf(
  context: StoreContext,
  chainId: Digest,
  fresh: ActiveSnapshot,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const committed = await openCommitted(context, chainId);
  if (committed === undefined) return "it is lost";
  return await layerDifferences(committed, fresh, { ...(signal && { signal }) });
}

/** Containers that are mounted on top of a layer: overlayfs must not lose it below its feet. */
async function mountedAbove(context: StoreContext, chainId: Digest): Promise<string[]> {
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
