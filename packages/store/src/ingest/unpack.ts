import { stat } from "node:fs/promises";
import {
  type ActiveSnapshot,
  type CommitOptions,
  type Digest,
  forEachAtOnce,
  isStrataError,
  type OverlayLayout,
  StrataError,
} from "@strata/core";
import { type AppliedLayer, type LayerSource, settleLayer } from "@strata/layer";
import type { StoreContext } from "../content/context.ts";
import { glanceEntries } from "../content/seal.ts";
import { failpoint } from "../failpoint.ts";
import { inContext } from "../in-context.ts";
import { reclaim } from "../reclaim.ts";
import { Download } from "./download.ts";
import { type LayerBytes, readLayer } from "./layer-bytes.ts";
import type { IngestOptions, LayerPlan } from "./layer-input.ts";
import { mendLayer } from "./mend-layer.ts";
import { sealOf } from "./seal-layer.ts";
import { type LayerFacts, layerLabels } from "./snapshot-labels.ts";
import type { Staging } from "./staging.ts";
import { SyncAhead } from "./sync-ahead.ts";

/** A layer that was unpacked, and all that is to be noted of it. */
type UnpackedLayer = AppliedLayer & LayerFacts;

/** A layer that has no snapshot yet. */
export interface UnpackJob {
  readonly plan: LayerPlan;
  /** The key of its snapshot until it is committed. */
  readonly key: string;
  readonly bytes: LayerBytes;
  /** Where to keep the blob's bytes, if they are not in the store or the staging directory yet. */
  readonly keepAs?: string;
  /** There is a snapshot of it, which may be damaged. */
  readonly isDoubtful: boolean;
  /** How the snapshot that there is was unpacked. */
  readonly before?: LayerFacts;
  readonly onBytes: (bytesRead: number) => void;
  readonly onDone: (applied: AppliedLayer, source: LayerSource) => void;
}

/**
 * Unpack layers and commit them as snapshots named by ChainID.
 *
 * Where the driver can rebase, all are written side by side, made durable by one sync, and chained afterwards;
 * elsewhere each needs its parent first. So does a layer among whose lowers some may be damaged. A snapshot that another
 * process commits meanwhile is taken as it is: the name says what is in it.
 * @param jobs - parents before children
 */
export async function unpackLayers(
  context: StoreContext,
  staging: Staging,
  jobs: readonly UnpackJob[],
  options: IngestOptions,
): Promise<Map<Digest, LayerFacts>> {
  await using ahead = new SyncAhead(context);
  const layers = new Map<Digest, LayerFacts>();
  const isSideBySide = context.driver.capabilities.rebase.supported;
  const unpack = isSideBySide ? unpackSideBySide : unpackInOrder;
  const steps = jobs.some(({ isDoubtful }) => isDoubtful) ? jobs.map((job) => [job]) : [jobs];
  for (const step of steps) {
    for (const [chainId, facts] of await unpack(context, step, ahead, options)) layers.set(chainId, facts);
  }
  for (const { plan, keepAs } of jobs) {
    const facts = layers.get(plan.chainId);
    if (facts && keepAs !== undefined) staging.addBlob(facts.blob, keepAs);
  }
  return layers;
}

async function unpackInOrder(
  context: StoreContext,
  jobs: readonly UnpackJob[],
  ahead: SyncAhead,
  options: IngestOptions,
): Promise<Map<Digest, LayerFacts>> {
  const layers = new Map<Digest, LayerFacts>();
  for (const job of jobs) {
    const { signal } = options;
    const prepare = () => context.driver.prepare(job.key, job.plan.parent, { ...(signal && { signal }) });
    const prepared = { job, prepare, active: await prepare() };
    failpoint("layer.prepared");
    const applied = await applyJob(context, prepared, ahead, options, false);
    await ahead.end();
    await commitOrYield(context, prepared.active, job, applied, { ...(signal && { signal }) });
    layers.set(job.plan.chainId, applied);
  }
  return layers;
}

async function unpackSideBySide(
  context: StoreContext,
  jobs: readonly UnpackJob[],
  ahead: SyncAhead,
  options: IngestOptions,
): Promise<Map<Digest, LayerFacts>> {
  const prepared: (PreparedJob & { bytes: number })[] = [];
  for (const job of jobs) {
    const prepare = () => context.driver.prepare(job.key);
    prepared.push({ job, prepare, active: await prepare(), bytes: await sizeOf(job) });
  }

  failpoint("layer.prepared");

  const applied = new Map<UnpackJob, UnpackedLayer>();
  // The largest first, so that it is not left over for one thread at the end.
  const largestFirst = prepared.toSorted((a, b) => b.bytes - a.bytes);
  await forEachAtOnce(largestFirst, largestFirst.length, options.signal, async (one, signal) => {
    applied.set(one.job, await applyJob(context, one, ahead, { ...options, signal }, true));
  });

  const layouts = new Map<Digest, OverlayLayout>();
  for (const { job, active } of prepared) {
    const { chainId, parent } = job.plan;
    const below = parent && (layouts.get(parent) ?? overlayOf((await context.driver.open(parent)).layout()));
    const layout = { ...overlayOf(active.layout()), lowers: below ? [below.dir, ...below.lowers] : [] };
    settleLayer(layout, resultOf(applied, job).unresolved);
    layouts.set(chainId, layout);
  }

  await ahead.end();
  await context.driver.sync();
  failpoint("layer.synced");
  const layers = new Map<Digest, LayerFacts>();
  for (const { job, active } of prepared) {
    const { parent } = job.plan;
    const { signal } = options;
    const result = resultOf(applied, job);
    const how = { synced: true, ...(parent && { parent }), ...(signal && { signal }) };
    await commitOrYield(context, active, job, result, how);
    layers.set(job.plan.chainId, result);
  }
  return layers;
}

/** A layer with the snapshot that it is written to. */
interface PreparedJob {
  readonly job: UnpackJob;
  /** Makes the snapshot. */
  readonly prepare: () => Promise<ActiveSnapshot>;
  active: ActiveSnapshot;
}

async function applyJob(
  context: StoreContext,
  prepared: PreparedJob,
  ahead: SyncAhead,
  options: IngestOptions,
  lowersLater: boolean,
): Promise<UnpackedLayer> {
  const { job } = prepared;
  let isFresh = true;
  return await readLayer(job.bytes, options.signal, async (source) => {
    if (!isFresh) {
      await context.driver.remove(job.key);
      prepared.active = await prepared.prepare();
    }
    isFresh = false;
    const applied = await applySource(context, prepared, source, ahead, options, lowersLater);
    failpoint("layer.unpacked");
    job.onDone(applied, source);
    return applied;
  });
}

async function applySource(
  context: StoreContext,
  { job, active }: PreparedJob,
  source: LayerSource,
  ahead: SyncAhead,
  { limits, ignoreOwnership = !context.driver.capabilities.ownership.supported, signal }: IngestOptions,
  lowersLater: boolean,
): Promise<UnpackedLayer> {
  const { plan, keepAs, onBytes } = job;
  const { blob, size } = plan.input;
  const workers = await context.workers();
  const unpacked = ahead.layer();
  const ownersIgnored = job.before?.ownersIgnored ?? ignoreOwnership;
  const applied = await inContext(plan.input.what, signal, () =>
    workers.apply({
      source,
      layout: active.layout(),
      expected: {
        diffId: plan.diffId,
        ...(blob && { blob }),
        ...(size !== undefined && { blobSize: size }),
      },
      lowersLater,
      onProgress: (bytesRead) => {
        unpacked(bytesRead);
        onBytes(bytesRead);
      },
      ...(keepAs !== undefined && { keepAs }),
      ...(limits && { limits }),
      ignoreOwnership: ownersIgnored,
      ...(signal && { signal }),
    }),
  );
  unpacked(applied.blobSize);
  return { ...applied, ownersIgnored };
}

async function commitOrYield(
  context: StoreContext,
  active: ActiveSnapshot,
  { plan, isDoubtful }: UnpackJob,
  applied: UnpackedLayer,
  options: CommitOptions,
): Promise<void> {
  const labels = layerLabels(applied);
  if (isDoubtful) {
    const hindrance = await mendLayer(context, plan.chainId, active, { ...options, labels });
    if (hindrance === undefined) return await reclaim(context);
    throw new StrataError("Busy", `layer ${plan.chainId}: ${hindrance}, and try again`);
  }
  const mostEntries = applied.entries > glanceEntries ? 0 : glanceEntries;
  const seal = await sealOf(active.layout().dir, mostEntries, options.signal);
  try {
    await active.commit(plan.chainId, { ...options, labels: { ...labels, ...seal } });
    failpoint("layer.committed");
  } catch (error) {
    if (!isStrataError(error, "AlreadyExists")) throw error;
    await context.driver.remove(active.id);
  }
}

function resultOf(applied: ReadonlyMap<UnpackJob, UnpackedLayer>, job: UnpackJob): UnpackedLayer {
  const result = applied.get(job);
  if (result === undefined) throw new TypeError(`layer ${job.plan.chainId} was not applied`);
  return result;
}

function overlayOf(layout: ReturnType<ActiveSnapshot["layout"]>): OverlayLayout {
  if (layout.format === "overlay") return layout;
  throw new StrataError("Unsupported", "a driver that can rebase must have overlay layouts");
}

async function sizeOf({ bytes, plan }: UnpackJob): Promise<number> {
  if (bytes instanceof Download) return plan.input.size ?? 0;
  const { path, offset = 0, length } = bytes;
  return length ?? (await stat(path)).size - offset;
}
