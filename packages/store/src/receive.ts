import { type Digest, digestOf, isStrataError, StrataError } from "@strata/core";
import { blobSize, readBlob } from "./content/blobs.ts";
import type { StoreContext } from "./content/context.ts";
import { removePartialBlob } from "./content/partial-blobs.ts";
import { configSchema, type Descriptor, maxDocumentBytes, parseDocument } from "./documents.ts";
import { failpoint } from "./failpoint.ts";
import { type ManifestBytes, parseManifest } from "./image-manifest.ts";
import { chooseManifest, type DocumentSource, noneMatches } from "./images/choose-manifest.ts";
import { inContext } from "./in-context.ts";
import { type ImageInput, type IngestedImage, ingestImages } from "./ingest/ingest-images.ts";
import type { DownloadingOptions } from "./ingest/layer-input.ts";
import { Staging } from "./ingest/staging.ts";
import { isIndexType, isManifestType } from "./media-types.ts";
import { hostPlatform, parsePlatform, platformRank } from "./platform.ts";
import { abortable } from "./streams/abortable.ts";

export interface ReceiveOptions extends DownloadingOptions {
  /** Which image of an index to take: `linux/arm/v7`; another image is refused. @defaultValue the host's, or the only one */
  readonly platform?: string;
}

/** An image that is elsewhere, for {@link receive}. */
export interface RemoteImage {
  /** Names the image in errors. */
  readonly what: string;
  /** What is there under its name, as it came: an image's manifest, or an index of several. Digests are kept. */
  readonly manifest: ManifestBytes;
  /** In full form. */
  readonly references: readonly string[];
  /**
   * The bytes of a blob, or of a manifest that an index names, from a position on, which is below its size. It need not
   * verify them. It goes on by itself where a connection breaks off; what it throws is what {@link receive} throws.
   */
  read(descriptor: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/**
 * Bring in images whose bytes come from elsewhere, all or none. What the store has is not asked for, unless it is
 * damaged; unpacked layers whose files are damaged or lost are mended. Layers are unpacked
 * while they arrive, several at the same time. Layers that have arrived in part are kept after a failure, an abort or
 * the end of the process: the next that wants them goes on from there. Bytes of blobs are written once.
 * @throws StrataError, as `ingestImages`; `NotFound`, if there is none for the platform; `Aborted`, if fewer bytes came
 *   than a manifest says
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
  for (const image of images) inputs.push(await inputOf(context, image, options.platform, signal));
  const ingested = await ingestImages(context, staging, inputs, options);
  for (const { blob } of inputs.flatMap(({ layers }) => layers)) {
    if (blob !== undefined) await removePartialBlob(context.root, blob);
  }
  failpoint("receive.partial-blobs-removed");
  return ingested;
}

async function inputOf(
  context: StoreContext,
  image: RemoteImage,
  platform: string | undefined,
  signal: AbortSignal,
): Promise<ImageInput> {
  const { what, references } = image;
  const documents: DocumentSource = {
    what,
    read: (descriptor) => readDocument(context, image, descriptor, signal),
  };
  const { manifest, indexDigest } = await manifestOf(documents, image.manifest, platform);
  const { config, layers } = parseManifest(manifest, `manifest of ${what}`);
  const configBytes = await documents.read(config);
  if (indexDigest === undefined && platform !== undefined) assertPlatform(configBytes, platform, what);
  return {
    what,
    configBytes,
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

/** The image's own manifest, and the digest of the index that it was chosen from, if it was. */
async function manifestOf(
  documents: DocumentSource,
  top: ManifestBytes,
  platform: string | undefined,
): Promise<{ manifest: ManifestBytes; indexDigest?: Digest }> {
  if (!isIndexType(top.mediaType)) return { manifest: top };
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const chosen = await chooseManifest(documents, top.bytes, wanted);
  const manifest = { bytes: await documents.read(chosen), mediaType: chosen.mediaType };
  return { manifest, indexDigest: digestOf(top.bytes) };
}

function assertPlatform(configBytes: Buffer, platform: string, what: string): void {
  const wanted = parsePlatform(platform);
  const config = parseDocument(configSchema, configBytes, `config of ${what}`);
  if (platformRank(wanted, config) === undefined) throw noneMatches(wanted);
}

/** A manifest or a config: the store's own, if it has it, else from elsewhere. */
async function readDocument(
  { root }: StoreContext,
  image: RemoteImage,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  const { size, mediaType } = descriptor;
  const kind = isIndexType(mediaType) ? "index" : isManifestType(mediaType) ? "manifest" : "config";
  const what = `${kind} of ${image.what}`;
  const stored = await storedBlob(root, descriptor, what);
  if (stored !== undefined) return stored;
  if (size > maxDocumentBytes) {
    throw new StrataError(
      "InvalidArgument",
      `${what}: ${size} bytes is more than such a document may have (${maxDocumentBytes})`,
    );
  }
  return await inContext(what, signal, () => fetchDocument(image, descriptor, signal));
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

async function fetchDocument(
  image: RemoteImage,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  const { digest, size } = descriptor;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of abortable(image.read(descriptor, 0, signal), signal)) {
    length += piece.length;
    if (length > size) break;
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  if (length === size && digestOf(bytes) === digest) return bytes;
  throw new StrataError("Corrupt", `it should have ${size} bytes with the digest ${digest}, but others came`);
}
