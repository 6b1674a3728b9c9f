import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type CallOptions, type Digest, errnoCode, FileLock, isStrataError } from "@strata/core";
import { type ContainerRecord, listContainers } from "../containers/records.ts";
import { mountPoint } from "../containers/snapshot.ts";
import type { StoreContext } from "../content/context.ts";
import { readIndex } from "../content/image-index.ts";
import { type ImageRecord, readImage } from "../content/image-record.ts";
import { partialBlobs } from "../content/partial-blobs.ts";
import { blobsDir, ingestDir } from "../content/paths.ts";
import { liveBlobs } from "../images/content.ts";
import { groupByImage } from "../images/references.ts";
import { ownerFile } from "../ingest/reap.ts";

/** Disk space by what holds it, in the shape of `docker system df`. */
export interface DiskUsage {
  /** The files of unpacked layers, each layer once; active are the images that a container has. */
  readonly images: UsageLine;
  /** What containers wrote; active are those that are mounted. */
  readonly containers: UsageLine;
  /** What images came as, kept for save and push; active are those that an image needs. */
  readonly blobs: UsageLine;
  /** What loads, pulls, imports and commits have begun, and downloads; active are those whose process lives. */
  readonly staging: UsageLine;
  readonly perImage: readonly ImageUsage[];
  readonly perContainer: readonly ContainerUsage[];
}

export interface UsageLine {
  readonly count: number;
  readonly active: number;
  readonly bytes: number;
  /** Bytes that removing what is not active would give back. */
  readonly reclaimable: number;
}

export interface ImageUsage {
  readonly id: Digest;
  /** References with a tag, in full form. */
  readonly references: readonly string[];
  readonly bytes: number;
  /** Bytes of layers that other images have, too. */
  readonly sharedBytes: number;
  readonly containers: number;
}

export interface ContainerUsage {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
}

/**
 * How much disk space images, containers, blobs and staging take.
 *
 * Cost: for images, reads their documents, not their files; a walk of what each container wrote.
 * @throws StrataError `Corrupt`, if an image's documents are damaged
 */
export async function diskUsage(context: StoreContext, options: CallOptions = {}): Promise<DiskUsage> {
  const records = await listContainers(context);
  const images: ImageRecord[] = [];
  for (const own of groupByImage(await readIndex(context.root)).values()) {
    images.push(await readImage(context.root, own));
  }
  const containers = await containerItems(context, records, options);
  return {
    images: imagesLine(images, records),
    containers: lineOf(containers),
    blobs: lineOf(await blobItems(context.root)),
    staging: lineOf(await stagingItems(context.root)),
    perImage: perImage(images, records),
    perContainer: containers.map(({ id, name, bytes }) => ({ id, name, bytes })),
  };
}

interface Item {
  readonly bytes: number;
  readonly active: boolean;
}

function lineOf(items: readonly Item[]): UsageLine {
  const sum = (some: readonly Item[]) => some.reduce((total, { bytes }) => total + bytes, 0);
  return {
    count: items.length,
    active: items.filter(({ active }) => active).length,
    bytes: sum(items),
    reclaimable: sum(items.filter(({ active }) => !active)),
  };
}

function imagesLine(images: readonly ImageRecord[], records: readonly ContainerRecord[]): UsageLine {
  const used = images.filter(({ id }) => records.some(({ imageId }) => imageId === id));
  const bytes = uniqueBytes(images);
  return { count: images.length, active: used.length, bytes, reclaimable: bytes - uniqueBytes(used) };
}

function uniqueBytes(images: readonly ImageRecord[]): number {
  const sizes = new Map(images.flatMap((image) => layerEntries(image)));
  return [...sizes.values()].reduce((total, size) => total + size, 0);
}

function layerEntries({ chainIds, layerSizes }: ImageRecord): [chainId: Digest, bytes: number][] {
  return chainIds.map((chainId, index) => [chainId, layerSizes[index] ?? 0]);
}

function perImage(images: readonly ImageRecord[], records: readonly ContainerRecord[]): ImageUsage[] {
  const uses = new Map<Digest, number>();
  for (const chainId of images.flatMap(({ chainIds }) => chainIds)) {
    uses.set(chainId, (uses.get(chainId) ?? 0) + 1);
  }
  return images.map((image) => {
    const layers = layerEntries(image);
    const shared = layers.filter(([chainId]) => (uses.get(chainId) ?? 0) > 1);
    const sum = (some: typeof layers) => some.reduce((total, [, bytes]) => total + bytes, 0);
    return {
      id: image.id,
      references: image.references,
      bytes: sum(layers),
      sharedBytes: sum(shared),
      containers: records.filter(({ imageId }) => imageId === image.id).length,
    };
  });
}

/** A container of another driver counts, but only that driver knows how much it wrote. */
async function containerItems(
  context: StoreContext,
  records: readonly ContainerRecord[],
  options: CallOptions,
): Promise<(Item & ContainerUsage)[]> {
  const items: (Item & ContainerUsage)[] = [];
  for (const record of records) {
    const active = (await mountPoint(context, record)) !== undefined;
    const isOurs = record.driver === context.driver.name;
    const bytes = isOurs ? await writtenBytes(context, record.id, options) : 0;
    items.push({ id: record.id, name: record.name, bytes, active });
  }
  return items;
}

async function writtenBytes({ driver }: StoreContext, id: string, options: CallOptions): Promise<number> {
  try {
    return (await driver.usage(id, options)).bytes;
  } catch (error) {
    if (isStrataError(error, "NotFound")) return 0;
    throw error;
  }
}

async function blobItems(root: string): Promise<Item[]> {
  const live = await liveBlobs(root);
  const names = await readdir(blobsDir(root));
  return await Promise.all(
    names.map(async (name) => ({
      bytes: await fileBytes(join(blobsDir(root), name)),
      active: live.has(`sha256:${name}`),
    })),
  );
}

async function stagingItems(root: string): Promise<Item[]> {
  const items: Item[] = [];
  for (const id of await readdir(ingestDir(root))) {
    const dir = join(ingestDir(root), id);
    const files = await readdir(dir).catch(() => []);
    let bytes = 0;
    for (const name of files) bytes += await fileBytes(join(dir, name));
    items.push({ bytes, active: isOwned(dir) });
  }
  for (const { path, isHeld } of await partialBlobs(root)) {
    items.push({ bytes: await blocksOf(path), active: isHeld });
  }
  return items;
}

function isOwned(dir: string): boolean {
  try {
    using lock = FileLock.tryTake(ownerFile(dir), "exclusive", { create: false });
    return lock === undefined;
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** On disk. A link to a blob of the store, or to a download, takes nothing more. */
async function fileBytes(path: string): Promise<number> {
  return await blocksOf(path, 1);
}

/**
 * What is gone meanwhile takes nothing.
 * @param mostLinks - of a file that counts
 */
async function blocksOf(path: string, mostLinks = Infinity): Promise<number> {
  try {
    const { blocks, nlink } = await stat(path);
    return nlink > mostLinks ? 0 : blocks * 512;
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return 0;
    throw error;
  }
}
