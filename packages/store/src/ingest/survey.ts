import { type Digest, isStrataError, type SnapshotInfo } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { withStoreLock } from "../content/store-lock.ts";
import type { LayerPlan } from "./layer-input.ts";
import { isSealIntact } from "./seal-layer.ts";
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
  /** Those of them that have been unpacked before: their files are lost, or may not be what they were. */
  readonly doubtful: ReadonlySet<Digest>;
}

/** Find out what is here already, and keep gc from removing it. */
export async function surveyLayers(
  context: StoreContext,
  staging: Staging,
  plans: readonly LayerPlan[],
  signal?: AbortSignal,
): Promise<Survey> {
  const found = new Map<Digest, SnapshotInfo | "damaged">();
  const look = async (): Promise<void> => {
    await staging.hold(plans.map((plan) => plan.chainId));
    for (const { chainId } of plans) {
      const snapshot = found.get(chainId) ?? (await snapshotInfo(context, chainId));
      if (snapshot !== undefined) found.set(chainId, snapshot);
    }
  };
  await withStoreLock(context.root, look, signal);

  const unpacked = new Map<Digest, LayerFacts>();
  const doubtful = new Set<Digest>();
  for (const { chainId, parent, input } of plans) {
    const snapshot = found.get(chainId);
    if (snapshot === undefined) continue;
    // What is on top of it is here.
    if (parent !== undefined && !found.has(parent)) doubtful.add(parent);
    if (snapshot === "damaged") {
      doubtful.add(chainId);
      continue;
    }
    unpacked.set(chainId, layerFacts(snapshot));
    // Who brings no bytes relies on what is here, as do the containers above it.
    const isBrought = input.source !== undefined || input.remote !== undefined;
    if (isBrought && !(await isSealIntact(context, snapshot, signal))) doubtful.add(chainId);
  }

  const done: LayerPlan[] = [];
  const toVerify: LayerPlan[] = [];
  const toUnpack: LayerPlan[] = [];
  const seen = new Set<Digest>();
  for (const plan of plans) {
    const { chainId } = plan;
    const facts = unpacked.get(chainId);
    const known = await isBlobKnown(staging, plan, facts);
    // The same layer can come twice, as different blobs.
    if ((facts === undefined || doubtful.has(chainId)) && !seen.has(chainId)) toUnpack.push(plan);
    else if (known) done.push(plan);
    else toVerify.push(plan);
    seen.add(chainId);
  }
  return { unpacked, done, toVerify, toUnpack, doubtful };
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

async function snapshotInfo(
  { driver }: StoreContext,
  chainId: Digest,
): Promise<SnapshotInfo | "damaged" | undefined> {
  try {
    return await driver.stat(chainId);
  } catch (error) {
    if (isStrataError(error, "NotFound")) return undefined;
    if (isStrataError(error, "Corrupt")) return "damaged";
    throw error;
  }
}
