import { type Digest, StrataError } from "@strata/core";
import type { LayerSource } from "@strata/layer";
import type { StoreContext } from "../content/context.ts";
import { inContext } from "../in-context.ts";
import { readRange } from "../streams/range.ts";
import { Downloads } from "./downloads.ts";
import { hashLayer } from "./hash-layer.ts";
import { type LayerBytes, readLayer } from "./layer-bytes.ts";
import type { DownloadingOptions, IngestOptions, LayerInput, LayerPlan } from "./layer-input.ts";
import { LayerReports } from "./layer-reports.ts";
import type { LayerFacts } from "./snapshot-labels.ts";
import type { Staging } from "./staging.ts";
import { surveyLayers } from "./survey.ts";
import { type UnpackJob, unpackLayers } from "./unpack.ts";

/**
 * Have layers unpacked, and their blobs in the staging directory, all digests verified. What is here already is not
 * read again, unless it is not as it was left: then it is unpacked once more, and mended.
 * @param plans - parents before children; a layer that comes as several blobs is there for each
 * @returns by ChainID; the blob is one of this layer, where the plan names none
 */
export async function bringLayers(
  context: StoreContext,
  staging: Staging,
  plans: readonly LayerPlan[],
  options: DownloadingOptions,
): Promise<Map<Digest, LayerFacts>> {
  const survey = await surveyLayers(context, staging, plans, options.signal);
  const { unpacked, done, toVerify, toUnpack, doubtful } = survey;
  await using downloads = new Downloads(context, staging, options.signal, options.downloads);
  const either = { ...options, signal: downloads.signal };
  const reports = new LayerReports(options.onProgress);
  for (const plan of done) reports.say(plan, "exists", 0);
  for (const plan of [...toVerify, ...toUnpack]) reports.say(plan, "waiting", 0);
  const bytesOf = (plan: LayerPlan): LayerBytes => {
    const { remote, what } = plan.input;
    return remote
      ? downloads.add(remote, what, (bytes) => reports.arrived(plan, bytes, remote.size))
      : sourceOf(staging, plan);
  };

  const kept = new Set<string>();
  const jobs = toUnpack.map((plan, index): UnpackJob => {
    const before = unpacked.get(plan.chainId);
    return {
      plan,
      isDoubtful: doubtful.has(plan.chainId),
      ...(before && { before }),
      key: staging.key(index),
      bytes: bytesOf(plan),
      ...keepAs(staging, plan.input, kept),
      onBytes: (bytes) => reports.read(plan, bytes),
      onDone: ({ blob, blobSize }, source) => {
        takeFile(staging, plan, blob, source);
        reports.say(plan, "done", blobSize);
      },
    };
  });
  const verifications = toVerify.map((plan) => ({ plan, bytes: bytesOf(plan) }));
  downloads.start();
  const layers = new Map([...unpacked, ...(await unpackLayers(context, staging, jobs, either))]);

  for (const { plan, bytes } of verifications) {
    const blob = await readLayer(bytes, either.signal, (source) =>
      verifyBlob(staging, plan, source, either, (bytesRead) => reports.read(plan, bytesRead)),
    );
    const facts = layers.get(plan.chainId);
    if (facts && plan.input.blob === undefined) layers.set(plan.chainId, { ...facts, blob });
    reports.say(plan, "done", plan.input.size ?? 0);
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

/** The source is the blob's file already, if it was downloaded or unpacked to the staging directory: no copy is made. */
function takeFile(
  staging: Staging,
  { input }: LayerPlan,
  blob: Digest,
  { path, arriving }: LayerSource,
): void {
  if (input.staged || arriving !== undefined) staging.addBlob(blob, path);
}

async function verifyBlob(
  staging: Staging,
  plan: LayerPlan,
  source: LayerSource,
  { limits, signal }: IngestOptions,
  onProgress: (bytes: number) => void,
): Promise<Digest> {
  const { input, diffId } = plan;
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
  takeFile(staging, plan, hashed.blob, source);
  return hashed.blob;
}

function expectSame<T>(what: string, property: string, actual: T, expected: T | undefined): void {
  if (expected === undefined || actual === expected) return;
  throw new StrataError("Corrupt", `${what}: its ${property} is ${actual}, not ${expected} as expected`);
}
