import { type Digest, digestOf, isStrataError, StrataError } from "@strata/core";
import { blobSize, readBlob } from "./content/blobs.ts";
import type { StoreContext } from "./content/context.ts";
import { removePartialBlob } from "./content/partial-blobs.ts";
import { type Descriptor, maxDocumentBytes } from "./documents.ts";
import { failpoint } from "./failpoint.ts";
import { type ManifestBytes, parseManifest } from "./image-manifest.ts";
import { inContext } from "./in-context.ts";
import { type ImageInput, type IngestedImage, ingestImages } from "./ingest/ingest-images.ts";
import type { ReceiveOptions } from "./ingest/layer-input.ts";
import { Staging } from "./ingest/staging.ts";
import { abortable } from "./streams/abortable.ts";

/** An image that is elsewhere, for {@link receive}. */
export interface RemoteImage {
  /** Names the image in errors. */
  readonly what: string;
  /** As it came; its digest is kept. */
  readonly manifest: ManifestBytes;
  /** In full form. */
  readonly references: readonly string[];
  /** Of the index that the manifest was chosen from, if it was. */
  readonly indexDigest?: Digest;
  /**
   * The bytes of a blob that the manifest names, from a position on, which is below its size. It need not verify them.
   * It goes on by itself where a connection breaks off; what it throws is what {@link receive} throws.
   */
  read(blob: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/**
 * Bring in images whose bytes come from elsewhere, all or none. What the store has is not asked for. Layers are unpacked
 * while they arrive, several at the same time. Layers that have arrived in part are kept after a failure, an abort or
 * the end of the process: the next that wants them goes on from there. Bytes of blobs are written once.
 * @throws StrataError, as `ingestImages`; `Aborted`, if fewer bytes came than a manifest says
 */
export async function receive(
  context: StoreContext,
  images: readonly RemoteImage[],
  options: ReceiveOptions = {},
): Promise<IngestedImage[]> {
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  await using staging = await Staging.open(context, signal);
  const inputs: ImageInput[] = [];
  for (const image of images) inputs.push(await inputOf(context, image, signal));
  const ingested = await ingestImages(context, staging, inputs, options);
  for (const { blob } of inputs.flatMap(({ layers }) => layers)) {
    if (blob !== undefined) await removePartialBlob(context.root, blob);
  }
  failpoint("receive.partial-blobs-removed");
  return ingested;
}

async function inputOf(context: StoreContext, image: RemoteImage, signal: AbortSignal): Promise<ImageInput> {
  const { what, manifest, references, indexDigest } = image;
  const { config, layers } = parseManifest(manifest, `manifest of ${what}`);
  return {
    what,
    configBytes: await readConfig(context, image, config, signal),
    manifest,
    references,
    ...(indexDigest && { indexDigest }),
    layers: layers.map((layer) => ({
      what: `layer ${layer.digest} of ${what}`,
      blob: layer.digest,
      size: layer.size,
      remote: {
        digest: layer.digest,
        size: layer.size,
        read: (from, stop) => image.read(layer, from, stop),
      },
    })),
  };
}

async function readConfig(
  { root }: StoreContext,
  image: RemoteImage,
  config: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  const what = `config of ${image.what}`;
  const stored = await storedBlob(root, config, what);
  if (stored !== undefined) return stored;
  if (config.size > maxDocumentBytes) {
    throw new StrataError(
      "InvalidArgument",
      `${what}: ${config.size} bytes is more than such a document may have (${maxDocumentBytes})`,
    );
  }
  return await inContext(what, signal, () => fetchConfig(image, config, signal));
}

/** One that is damaged is as good as none. */
async function storedBlob(
  root: string,
  { digest, size }: Descriptor,
  what: string,
): Promise<Buffer | undefined> {
  if ((await blobSize(root, digest)) !== size) return undefined;
  try {
    return await readBlob(root, digest, what);
  } catch (error) {
    if (isStrataError(error, "Corrupt")) return undefined;
    throw error;
  }
}

async function fetchConfig(image: RemoteImage, config: Descriptor, signal: AbortSignal): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of abortable(image.read(config, 0, signal), signal)) {
    length += piece.length;
    if (length > config.size) break;
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  const digest: Digest = digestOf(bytes);
  if (length === config.size && digest === config.digest) return bytes;
  throw new StrataError(
    "Corrupt",
    `it should have ${config.size} bytes with the digest ${config.digest}, but others came`,
  );
}
