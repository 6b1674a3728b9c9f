import { type Digest, isStrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { withStoreLock } from "../content/store-lock.ts";
import type { LayerPlan } from "./layer-input.ts";
import { type LayerFacts, layerFacts } from "./snapshot-labels.ts";
import type { Staging } from "./staging.ts";

/** What there is to do for the layers of some images. */
export interface Survey {
  /** By ChainID, what is unpacked already. */
  readonly unpacked: Map<Digest, LayerFacts>;
  /** Nothing to do: unpacked, and the blob is here. */
  readonly done: readonly LayerPlan[];
  /** Unpacked, but the blob must be read: it is not here, or nobody saw yet that it is this layer. */
  readonly toVerify: readonly LayerPlan[];
  readonly toUnpack: readonly LayerPlan[];
}

/** Find out what is here already, and keep gc from removing it. */
export async function surveyLayers(
  context: StoreContext,
  staging: Staging,
  plans: readonly LayerPlan[],
  signal?: AbortSignal,
): Promise<Survey> {
  const unpacked = new Map<Digest, LayerFacts>();
  const done: LayerPlan[] = [];
  const toVerify: LayerPlan[] = [];
  const toUnpack: LayerPlan[] = [];
  const seen = new Set<Digest>();
  const look = async (): Promise<void> => {
    await staging.hold(plans.map((plan) => plan.chainId));
    for (const plan of plans) {
      const facts = unpacked.get(plan.chainId) ?? (await snapshotFacts(context, plan.chainId));
      if (facts !== undefined) unpacked.set(plan.chainId, facts);
      const known = await isBlobKnown(staging, plan, facts);
      // The same layer can come twice, as different blobs.
      if (facts === undefined && !seen.has(plan.chainId)) toUnpack.push(plan);
      else if (known) done.push(plan);
      else toVerify.push(plan);
      seen.add(plan.chainId);
    }
  };
  await withStoreLock(context.root, look, signal);
  return { unpacked, done, toVerify, toUnpack };
}

/** Whether the blob is here, and is known to be this layer. It is linked in any case, if it is here. */
async function isBlobKnown(
  staging: Staging,
  { diffId, input }: LayerPlan,
  facts: LayerFacts | undefined,
): Promise<boolean> {
  // Without a manifest, the blob that the snapshot was unpacked from will do.
  const blob = input.blob ?? facts?.blob;
  const size = input.blob === undefined ? facts?.blobSize : input.size;
  if (blob === undefined || !(await staging.linkBlob(blob, size))) return false;
  return blob === facts?.blob || blob === diffId;
}

async function snapshotFacts({ driver }: StoreContext, chainId: Digest): Promise<LayerFacts | undefined> {
  try {
    return layerFacts(await driver.stat(chainId));
  } catch (error) {
    if (isStrataError(error, "NotFound")) return undefined;
    throw error;
  }
}
