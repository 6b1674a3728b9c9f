import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Scratch } from "@strata/conformance/suite";
import { type Digest, digestHex, digestOf, errnoCode } from "@strata/core";
import { decompressor } from "@strata/layer";
import { hostPlatform } from "@strata/store";
import { z } from "zod";
import { unpackArchive } from "./archive.ts";
import {
  compressFile,
  compressionOf,
  type DatasetContext,
  describeLayer,
  exists,
  type LayerArchive,
  type LayerCompression,
  layerArchive,
} from "./layers.ts";
import { dataset } from "./paths.ts";
import type { TreeSpec } from "./tree.ts";

export interface ImageSpec {
  /** Bottom first. Not used where an archive takes their place. */
  readonly layers: readonly TreeSpec[];
  readonly compression: LayerCompression;
}

/** An image, in a directory of its own. */
export interface ImageLayout {
  /** An OCI image layout with this one image. */
  readonly layout: string;
  /** The image's name in it. */
  readonly reference: string;
  /** Bottom first. */
  readonly layers: readonly LayerArchive[];
  /** Of the regular files of all layers. */
  readonly bytes: number;
  /** Entries of all layers. */
  readonly files: number;
}

/** What the image is made of, once its layers are there. */
interface Parts {
  readonly layers: readonly LayerArchive[];
  readonly config: Buffer;
}

interface RecompressOptions {
  readonly compression: LayerCompression;
  /** For what is needed on the way. */
  readonly scratch: Scratch;
  readonly signal: AbortSignal | undefined;
}

const kept = z.object({ layers: z.array(z.string()) });
const { reference } = dataset;

const layerTypes = {
  none: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
} as const;

/**
 * An image of made data, no two layers of it alike; or the first one of the archive that was asked for, its layers
 * compressed as they should be. Made once a run.
 * @throws Error, for zstd where the host has no such program
 * @throws AbortError, on the signal
 */
export async function imageLayout(
  context: DatasetContext,
  { layers: specs, compression }: ImageSpec,
): Promise<ImageLayout> {
  const { datasets, seed, archive, signal } = context;
  const source = archive ?? JSON.stringify(specs);
  const name = `image-${digestHex(digestOf(`${source} ${seed}`)).slice(0, 12)}-${compression}`;
  const layout = join(datasets, name);
  // Beside the layout, in which it would have no place.
  const notes = `${layout}.json`;
  if (!(await exists(notes))) {
    await mkdir(datasets, { recursive: true });
    await using scratch = new Scratch(datasets);
    const parts =
      archive === undefined
        ? await madeParts(context, specs, compression)
        : await archiveParts(archive, join(datasets, `${name}-layers`), { compression, scratch, signal });
    await writeLayout(scratch.join("layout"), parts, compression);
    await renameUnlessThere(scratch.join("layout"), layout);
    await writeFile(scratch.join("notes"), JSON.stringify({ layers: parts.layers.map(({ path }) => path) }));
    await rename(scratch.join("notes"), notes);
  }
  const paths = kept.parse(JSON.parse(await readFile(notes, "utf8"))).layers;
  const layers = await Promise.all(paths.map((path) => describeLayer(path, signal)));
  const sum = (of: (layer: LayerArchive) => number) => layers.reduce((total, each) => total + of(each), 0);
  return {
    layout,
    reference,
    layers,
    bytes: sum(({ contentBytes }) => contentBytes),
    files: sum(({ files }) => files),
  };
}

async function madeParts(
  context: DatasetContext,
  specs: readonly TreeSpec[],
  compression: LayerCompression,
): Promise<Parts> {
  const layers: LayerArchive[] = [];
  for (const [index, spec] of specs.entries())
    layers.push(await layerArchive({ ...context, seed: context.seed + index * 1000 }, spec, compression));
  const diffIds = layers.map(({ diffId }) => diffId);
  const config = { ...hostPlatform(), config: {}, rootfs: { type: "layers", diff_ids: diffIds } };
  return { layers, config: Buffer.from(JSON.stringify(config)) };
}

async function archiveParts(
  archive: string,
  directory: string,
  { compression, scratch, signal }: RecompressOptions,
): Promise<Parts> {
  const { layers: blobs, config } = await unpackArchive(archive, scratch.join("store"), signal);
  await mkdir(directory, { recursive: true });
  const layers: LayerArchive[] = [];
  for (const [index, blob] of blobs.entries()) {
    const path = join(directory, `${index}`);
    await recompress(blob, path, { compression, scratch, signal });
    layers.push(await describeLayer(path, signal));
  }
  return { layers, config };
}

async function recompress(
  from: string,
  to: string,
  { compression, scratch, signal }: RecompressOptions,
): Promise<void> {
  const is = await compressionOf(from);
  if (is === compression) {
    // Not renamed: an image may have the same layer twice.
    await link(from, to);
    return;
  }
  const plain = compression === "none" ? to : scratch.join("plain");
  await pipeline(createReadStream(from), decompressor(is), createWriteStream(plain), { signal });
  if (compression !== "none") await compressFile(plain, to, compression, signal);
}

async function writeLayout(
  layout: string,
  { layers, config }: Parts,
  compression: LayerCompression,
): Promise<void> {
  const blobs = join(layout, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  // Linked, so that nothing lies on the disk twice.
  const unique = new Map(layers.map((layer) => [layer.digest, layer]));
  for (const { path, digest } of unique.values()) await link(path, join(blobs, digestHex(digest)));
  const add = async (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digestHex(digest)), bytes);
    return descriptor(mediaType, digest, bytes.length);
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: await add("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map(({ digest, bytes }) => descriptor(layerTypes[compression], digest, bytes)),
  };
  const described = await add(manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
  const annotations = {
    "org.opencontainers.image.ref.name": reference,
    "io.containerd.image.name": reference,
  };
  const index = { schemaVersion: 2, manifests: [{ ...described, annotations }] };
  await writeFile(join(layout, "index.json"), JSON.stringify(index));
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

function descriptor(mediaType: string, digest: Digest, size: number): object {
  return { mediaType, digest, size };
}

/** Another thread may have made the same meanwhile: either will do. */
async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const code = errnoCode(error);
    if (code !== "EEXIST" && code !== "ENOTEMPTY") throw error;
  }
}
