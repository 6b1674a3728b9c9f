import { chainIds, type Digest, digestOf, StrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import {
  type IndexEntry,
  readIndex,
  referenceOf,
  updateIndex,
  withReference,
} from "../content/image-index.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { configSchema, type ImageConfig, parseDocument } from "../documents.ts";
import { failpoint } from "../failpoint.ts";
import { giveReference, imageIdOf } from "../images/references.ts";
import { ociManifestType } from "../media-types.ts";
import { reclaim } from "../reclaim.ts";
import { bringLayers } from "./bring-layers.ts";
import type { DownloadingOptions, LayerInput, LayerPlan } from "./layer-input.ts";
import { dropChains } from "./live-chains.ts";
import { makeManifest, manifestLayers } from "./manifest.ts";
import type { LayerFacts } from "./snapshot-labels.ts";
import type { Staging } from "./staging.ts";

/** An image on its way in. */
export interface ImageInput {
  /** Names the image in errors. */
  readonly what: string;
  readonly configBytes: Buffer;
  /** As it came. @defaultValue one is made */
  readonly manifest?: { readonly bytes: Buffer; readonly mediaType: string };
  /** Bottom first. */
  readonly layers: readonly LayerInput[];
  /** In full form. */
  readonly references: readonly string[];
  /** The ID of the image that it was committed on top of. */
  readonly parentId?: Digest;
  /** Of the index that its manifest was chosen from. */
  readonly indexDigest?: Digest;
}

/** An image that is in the store now. */
export interface IngestedImage {
  readonly id: Digest;
  readonly references: readonly string[];
  /** References that named another image before, and that image's ID. */
  readonly replaced: readonly { readonly reference: string; readonly id: Digest }[];
  /** Bytes of the regular files of each layer, bottom first. */
  readonly layerSizes: readonly number[];
}

interface PlannedImage {
  readonly input: ImageInput;
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly layers: readonly LayerPlan[];
}

/**
 * Bring images in, all or none: the only way an image comes into being.
 *
 * 1. The layers are unpacked and their blobs staged, every digest verified.
 * 2. Everything is made durable, and the snapshots are committed.
 * 3. Under the store's lock, blobs are moved to their places, and index.json is replaced: the commit point.
 *
 * After a failure or an abort before 3, everything is taken back. What a killed process leaves behind is garbage that
 * gc recognises.
 * @throws StrataError `Corrupt`, if bytes are not what a digest says; `InvalidArgument`, if documents are not what they
 *   must be, or a limit is exceeded; `NoSpace`; `DepthExceeded`
 */
export async function ingestImages(
  context: StoreContext,
  staging: Staging,
  inputs: readonly ImageInput[],
  options: DownloadingOptions = {},
): Promise<IngestedImage[]> {
  const images = inputs.map((input) => planImage(context, input));
  const plans = uniquePlans(images);
  try {
    const layers = await bringLayers(context, staging, plans, options);
    failpoint("ingest.layers-brought");
    const staged: StagedImage[] = [];
    for (const image of images) staged.push(await stageDocuments(staging, image, layers));
    failpoint("ingest.documents-staged");
    await staging.sync();
    failpoint("ingest.durable");
    options.signal?.throwIfAborted();
    const ingested = await withStoreLock(
      context.root,
      () => publish(context, staging, staged),
      options.signal,
    );
    failpoint("ingest.published");
    for (const { id, references } of ingested) options.onProgress?.({ kind: "image", id, references });
    return ingested;
  } catch (error) {
    await takeBack(context, staging, plans).catch(() => {
      // The first error says more; what is left is garbage that gc recognises.
    });
    throw error;
  }
}

function planImage({ driver }: StoreContext, input: ImageInput): PlannedImage {
  const config = parseDocument(configSchema, input.configBytes, `config of ${input.what}`);
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== input.layers.length) {
    throw new StrataError(
      "InvalidArgument",
      `${input.what}: its config lists ${diffIds.length} layers, its manifest ${input.layers.length}`,
    );
  }
  const { maxDepth } = driver.capabilities;
  // A container's own layer must fit on top.
  if (diffIds.length >= maxDepth) {
    throw new StrataError(
      "DepthExceeded",
      `${input.what} has ${diffIds.length} layers; the ${driver.name} driver can mount ${maxDepth - 1} and a container's own`,
    );
  }
  const chain = chainIds(diffIds);
  const layers = input.layers.flatMap((layer, index): LayerPlan[] => {
    const [chainId, diffId] = [chain[index], diffIds[index]];
    return chainId && diffId ? [{ chainId, diffId, parent: chain[index - 1], input: layer }] : [];
  });
  return { input, id: digestOf(input.configBytes), config, layers };
}

/** Images share layers: each chain is brought once, but for each blob that it comes as. */
function uniquePlans(images: readonly PlannedImage[]): LayerPlan[] {
  const plans = new Map<string, LayerPlan>();
  for (const plan of images.flatMap(({ layers }) => layers)) {
    const key = `${plan.chainId} ${plan.input.blob}`;
    if (!plans.has(key)) plans.set(key, plan);
  }
  return [...plans.values()];
}

interface StagedImage {
  readonly image: PlannedImage;
  readonly entry: IndexEntry;
  /** All that the manifest leads to. */
  readonly blobs: readonly Digest[];
  readonly layerSizes: readonly number[];
}

async function stageDocuments(
  staging: Staging,
  image: PlannedImage,
  layers: ReadonlyMap<Digest, LayerFacts>,
): Promise<StagedImage> {
  const { input, config, id } = image;
  const facts = image.layers.flatMap(({ chainId }) => layers.get(chainId) ?? []);
  const layerSizes = facts.map(({ contentBytes }) => contentBytes);
  const blobs = image.layers.flatMap((plan, index) => plan.input.blob ?? facts[index]?.blob ?? []);
  await staging.addBytes(input.configBytes);
  const manifest = input.manifest ?? {
    mediaType: ociManifestType,
    bytes: makeManifest({ digest: id, size: input.configBytes.length }, await manifestLayers(staging, blobs)),
  };
  const digest = await staging.addBytes(manifest.bytes);
  const { os, architecture, variant } = config;
  const entry: IndexEntry = {
    mediaType: manifest.mediaType,
    digest,
    size: manifest.bytes.length,
    platform: { os, architecture, ...(variant && { variant }) },
    annotations: {
      "dev.strata.image.id": id,
      "dev.strata.layer.sizes": layerSizes.join(","),
      ...(input.parentId && { "dev.strata.parent.id": input.parentId }),
      ...(input.indexDigest && { "dev.strata.index.digest": input.indexDigest }),
    },
  };
  return { image, entry, layerSizes, blobs: [id, ...blobs] };
}

async function publish(
  context: StoreContext,
  staging: Staging,
  staged: readonly StagedImage[],
): Promise<IngestedImage[]> {
  const present = new Set((await readIndex(context.root)).map(imageIdOf));
  await staging.publish(
    staged.flatMap(({ image, entry, blobs }) =>
      image.input.manifest || !present.has(image.id) ? [entry.digest, ...blobs] : blobs,
    ),
  );
  const ingested: IngestedImage[] = [];
  await updateIndex(context, (before) => {
    let entries = before;
    for (const { image, entry, layerSizes } of staged) {
      const { references } = image.input;
      const replaced = references.flatMap((reference) => {
        const old = before.find((other) => referenceOf(other) === reference);
        return old && imageIdOf(old) !== image.id ? [{ reference, id: imageIdOf(old) }] : [];
      });
      entries = addImage(entries, entry, references, image.input.manifest === undefined);
      ingested.push({ id: image.id, references, replaced, layerSizes });
    }
    return entries;
  });
  return ingested;
}

/** An image that is there already keeps its manifest, unless it comes with another of its own. */
function addImage(
  before: IndexEntry[],
  entry: IndexEntry,
  references: readonly string[],
  anyManifest: boolean,
): IndexEntry[] {
  const same = before.filter((other) => imageIdOf(other) === imageIdOf(entry));
  const existing = same.find((other) => anyManifest || other.digest === entry.digest);
  const annotations = { ...existing?.annotations, ...entry.annotations };
  let entries = before;
  for (const reference of references)
    entries = giveReference(entries, reference, { ...(existing ?? entry), annotations });
  return references.length > 0 || same.length > 0 ? entries : [...entries, withReference(entry, undefined)];
}

async function takeBack(context: StoreContext, staging: Staging, plans: readonly LayerPlan[]): Promise<void> {
  await staging.removeActives();
  await withStoreLock(context.root, async () => {
    await dropChains(
      context,
      plans.map(({ chainId }) => chainId),
      staging.id,
    );
  });
  await reclaim(context);
}
