import { type Digest, digestHex, digestOf, StrataError } from "@strata/core";
import { type Descriptor, indexSchema, type Manifest, parseDocument } from "../documents.ts";
import { parseManifest } from "../image-manifest.ts";
import { bestManifest, type DocumentSource, imageManifests, noneMatches } from "../images/choose-manifest.ts";
import type { ImageInput } from "../ingest/ingest-images.ts";
import type { LayerInput } from "../ingest/layer-input.ts";
import { isForeignLayer } from "../media-types.ts";
import { hostPlatform, parsePlatform } from "../platform.ts";
import { parseReference } from "../reference.ts";
import { type Archive, readDocument } from "./archive.ts";

/**
 * The images of an OCI image layout. Of an index, the one for the platform; of several entries with the same name too.
 * @throws StrataError `NotFound`, if there are images, but none for the platform
 * @see OCI image-spec, image-layout.md
 */
export async function ociImages(archive: Archive, platform: string | undefined): Promise<ImageInput[]> {
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const what = `${archive.what}: index.json`;
  const index = parseDocument(indexSchema, await readDocument(archive, "index.json"), what);

  const documents: DocumentSource = {
    what: archive.what,
    read: (descriptor) => readVerified(archive, descriptor),
  };
  const byName = new Map<string, Descriptor[]>();
  for (const [position, entry] of index.manifests.entries()) {
    if (isOnlyHosted(entry)) continue;
    // An entry without a name stands for itself.
    const name = nameOf(entry) ?? `\0${position}`;
    byName.set(name, [...(byName.get(name) ?? []), entry]);
  }
  const images = new Map<Digest, ImageInput>();
  let candidates = 0;
  for (const entries of byName.values()) {
    const found = await imageManifests(documents, entries);
    candidates += found.length;
    const chosen =
      platform === undefined && found.length === 1 ? found[0] : await bestManifest(documents, found, wanted);
    if (chosen === undefined) continue;
    const references = entries.flatMap((entry) => referenceOf(entry) ?? []);
    const known = images.get(chosen.digest);
    const image = known ?? (await readImage(archive, chosen));
    images.set(chosen.digest, { ...image, references: [...new Set([...image.references, ...references])] });
  }
  if (images.size > 0 || candidates === 0) return [...images.values()];
  throw noneMatches(wanted);
}

/** In a store's own index: what was pushed to it and is no image of it. */
function isOnlyHosted({ annotations }: Descriptor): boolean {
  return Boolean(annotations?.["dev.strata.repository"]) && !annotations?.["dev.strata.image.id"];
}

/** containerd and docker write the whole name apart; for them, `ref.name` is no more than the tag. */
function nameOf({ annotations }: Descriptor): string | undefined {
  return annotations?.["io.containerd.image.name"] ?? annotations?.["org.opencontainers.image.ref.name"];
}

/** A name in a layout may be any text; one that is no reference names nothing here. */
function referenceOf(entry: Descriptor): string | undefined {
  try {
    const name = nameOf(entry);
    return name === undefined ? undefined : parseReference(name).toString();
  } catch {
    return undefined;
  }
}

async function readImage(archive: Archive, descriptor: Descriptor): Promise<ImageInput> {
  const { manifest, bytes, mediaType } = await readManifest(archive, descriptor);
  const layers: LayerInput[] = [];
  for (const layer of manifest.layers) layers.push(await readLayer(archive, layer));
  return {
    what: `image ${manifest.config.digest}`,
    configBytes: await readVerified(archive, manifest.config),
    manifest: { bytes, mediaType },
    layers,
    references: [],
  };
}

async function readManifest(
  archive: Archive,
  descriptor: Descriptor,
): Promise<{ manifest: Manifest; bytes: Buffer; mediaType: string }> {
  const what = `${archive.what}: manifest ${descriptor.digest}`;
  const bytes = await readVerified(archive, descriptor);
  const { mediaType } = descriptor;
  return { manifest: parseManifest({ bytes, mediaType }, what), bytes, mediaType };
}

async function readLayer(
  archive: Archive,
  { digest, size, mediaType, urls }: Descriptor,
): Promise<LayerInput> {
  const source = await archive.find(blobName(digest));
  const foreign = isForeignLayer(mediaType)
    ? `, which is foreign and to be had at ${urls?.join(" ") || "no URL"}`
    : "";
  return {
    what: `layer ${digest} of ${archive.what}${source ? "" : foreign}`,
    blob: digest,
    size,
    ...(source && { source, staged: archive.staged }),
  };
}

/** A document that a descriptor points to. @throws StrataError `Corrupt`, if it is not what the descriptor says */
async function readVerified(archive: Archive, { digest, size }: Descriptor): Promise<Buffer> {
  const bytes = await readDocument(archive, blobName(digest));
  if (bytes.length === size && digestOf(bytes) === digest) return bytes;
  throw new StrataError(
    "Corrupt",
    `${archive.what}: blob ${digest} should have ${size} bytes; it has ${bytes.length}, with the digest ${digestOf(bytes)}`,
  );
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}
