import { type Digest, digestHex, StrataError } from "@strata/core";
import type { LayerSource } from "@strata/layer";
import type { StoreContext } from "../content/context.ts";
import { inContext } from "../in-context.ts";
import type { LayerProgress } from "../progress.ts";
import { readRange } from "../streams/range.ts";
import { hashLayer } from "./hash-layer.ts";
import type { IngestOptions, LayerInput, LayerPlan } from "./layer-input.ts";
import type { LayerFacts } from "./snapshot-labels.ts";
import type { Staging } from "./staging.ts";
import { surveyLayers } from "./survey.ts";
import { type UnpackJob, unpackLayers } from "./unpack.ts";

/**
 * Have layers unpacked, and their blobs in the staging directory, all digests verified. What is here already is not
 * read again.
 * @param plans - parents before children; a layer that comes as several blobs is there for each
 * @returns by ChainID; the blob is one of this layer, where the plan names none
 */
export async function bringLayers(
  context: StoreContext,
  staging: Staging,
  plans: readonly LayerPlan[],
  options: IngestOptions,
): Promise<Map<Digest, LayerFacts>> {
  const { unpacked, done, toVerify, toUnpack } = await surveyLayers(context, staging, plans, options.signal);
  const report = (plan: LayerPlan, status: LayerProgress["status"], bytes: number): void =>
    options.onProgress?.(progressOf(plan, status, bytes));
  for (const plan of done) report(plan, "exists", 0);
  for (const plan of [...toVerify, ...toUnpack]) report(plan, "waiting", 0);

  const kept = new Set<string>();
  const jobs = toUnpack.map(
    (plan, index): UnpackJob => ({
      plan,
      key: staging.key(index),
      source: sourceOf(staging, plan),
      ...keepAs(staging, plan.input, kept),
      onBytes: (bytes) => report(plan, "loading", bytes),
      onDone: ({ blobSize }) => report(plan, "done", blobSize),
    }),
  );
  const layers = new Map([...unpacked, ...(await unpackLayers(context, staging, jobs, options))]);
  for (const plan of toUnpack) takeStaged(staging, plan, layers.get(plan.chainId)?.blob);

  for (const plan of toVerify) {
    const blob = await verifyBlob(staging, plan, options, (bytes) => report(plan, "loading", bytes));
    const facts = layers.get(plan.chainId);
    if (facts && plan.input.blob === undefined) layers.set(plan.chainId, { ...facts, blob });
    report(plan, "done", plan.input.size ?? 0);
  }
  return layers;
}

/** Where the bytes come from: the archive, if they do, since what is in the store may have been damaged there. */
function sourceOf(staging: Staging, { input }: LayerPlan): LayerSource {
  if (input.source) return input.source;
  const path = input.blob && staging.blobPath(input.blob);
  if (path !== undefined) return { path };
  throw new StrataError(
    "Corrupt",
    `${input.what}: its bytes are not there, and the store does not have them`,
  );
}

/** A new file for the bytes, if they are not in one already; for those of a layer that comes twice, once. */
function keepAs(staging: Staging, { source, staged }: LayerInput, kept: Set<string>): { keepAs?: string } {
  if (source === undefined || staged) return {};
  const range = `${source.offset ?? 0} ${source.path}`;
  if (kept.has(range)) return {};
  kept.add(range);
  return { keepAs: staging.newFile() };
}

/** The source is the blob's file already: it needs no copy. */
function takeStaged(staging: Staging, { input }: LayerPlan, blob: Digest | undefined): void {
  if (input.staged && input.source && blob) staging.addBlob(blob, input.source.path);
}

async function verifyBlob(
  staging: Staging,
  plan: LayerPlan,
  { limits, signal }: IngestOptions,
  onProgress: (bytes: number) => void,
): Promise<Digest> {
  const { input, diffId } = plan;
  const source = sourceOf(staging, plan);
  const kept = keepAs(staging, input, new Set());
  const hashed = await inContext(input.what, signal, () =>
    hashLayer(readRange(source), {
      onProgress,
      ...kept,
      ...(limits && { limits }),
      ...(signal && { signal }),
    }),
  );
  expectSame(input.what, "digest", hashed.blob, input.blob);
  expectSame(input.what, "size", hashed.blobSize, input.size);
  expectSame(input.what, "DiffID", hashed.diffId, diffId);
  if (kept.keepAs !== undefined) staging.addBlob(hashed.blob, kept.keepAs);
  takeStaged(staging, plan, hashed.blob);
  return hashed.blob;
}

function expectSame<T>(what: string, property: string, actual: T, expected: T | undefined): void {
  if (expected === undefined || actual === expected) return;
  throw new StrataError("Corrupt", `${what}: its ${property} is ${actual}, not ${expected} as expected`);
}

function progressOf(
  { diffId, input }: LayerPlan,
  status: LayerProgress["status"],
  bytes: number,
): LayerProgress {
  const totalBytes = input.size ?? input.source?.length;
  return {
    kind: "layer",
    diffId,
    label: digestHex(diffId).slice(0, 12),
    status,
    bytes,
    ...(totalBytes !== undefined && { totalBytes }),
  };
}
