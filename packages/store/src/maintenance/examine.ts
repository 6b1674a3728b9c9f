import { isStrataError, type Problem } from "@strata/core";
import { listContainers } from "../containers/records.ts";
import { openSnapshot } from "../containers/snapshot.ts";
import type { StoreContext } from "../content/context.ts";
import { readIndex } from "../content/image-index.ts";
import { type ImageRecord, readImage } from "../content/image-record.ts";
import { groupByImage, type ImageEntries, imageIdOf, nameOf } from "../images/references.ts";
import { shortId } from "../short-id.ts";
import { isBlobIntact, reportBlob } from "./examine-blob.ts";
import { examineLayers } from "./examine-layers.ts";
import type { CheckOptions, ExamineOptions } from "./options.ts";
import { orphanTest } from "./orphans.ts";

/**
 * Look for damage: every blob that an image needs is hashed, every unpacked layer is unpacked again from its blob and
 * compared entry by entry; then the driver's own state, and whether each container has its image and its snapshot.
 * What nothing owns is no damage: gc removes it. An image that is removed meanwhile may be reported.
 *
 * Cost: reads everything twice, and writes as much as the largest layer holds. With `quick`, a few calls a blob.
 * @returns an empty list, if nothing was found
 */
export async function checkStore(context: StoreContext, options: CheckOptions = {}): Promise<Problem[]> {
  const { quick = false, signal, onProgress } = options;
  return await collect(
    examine(context, { quick, ...(signal && { signal }), ...(onProgress && { onProgress }) }),
  );
}

/**
 * Look for damage as {@link checkStore} does, and mend it.
 *
 * - The files of a layer are replaced by those of its blob, unless a container above it is mounted. Where containers
 *   are copies (vfs), those made while it was damaged keep what they copied.
 * - The blob of a layer that was committed here is made again from the layer's files. Any other damaged blob is deleted,
 *   so that loading or pulling its image again brings it back: the problem says which image.
 * @returns what is left to do
 */
export async function repairStore(context: StoreContext, options: CheckOptions = {}): Promise<Problem[]> {
  return await collect(examine(context, { ...options, repair: true }));
}

async function* examine(context: StoreContext, options: ExamineOptions): AsyncGenerator<Problem> {
  const images: ImageRecord[] = [];
  const groups = groupByImage(await readIndex(context.root));
  for (const own of groups.values()) {
    options.signal?.throwIfAborted();
    yield* examineDocuments(context, own, images, options);
  }
  yield* examineLayers(context, images, options);
  options.onProgress?.(`the ${context.driver.name} driver`);
  const isOrphan = await orphanTest(context);
  for (const problem of await context.driver.check(options)) if (!isOrphan(problem.subject)) yield problem;
  yield* examineContainers(context, new Set(groups.keys()));
}

/** @param images - takes the image, if its documents can be read */
async function* examineDocuments(
  context: StoreContext,
  own: ImageEntries,
  images: ImageRecord[],
  options: ExamineOptions,
): AsyncGenerator<Problem> {
  const image = nameOf(own);
  options.onProgress?.(image);
  const manifests = new Map(own.map((entry) => [entry.digest, entry]));
  const blobs = [...manifests.values()].map(({ digest, size }) => ({
    digest,
    size,
    what: `manifest of ${image}`,
    image,
  }));
  for (const blob of [...blobs, { digest: imageIdOf(own[0]), what: `config of ${image}`, image }]) {
    // They are small: even a quick look reads them.
    if (await isBlobIntact(context, blob, { ...options, quick: false })) continue;
    yield await reportBlob(context, blob, options);
    return;
  }
  try {
    for (const entry of manifests.values())
      images.push(await readImage(context.root, [entry, ...own.filter((other) => other !== entry)]));
  } catch (error) {
    // Another process has removed it since.
    if (!isStrataError(error, "Corrupt")) throw error;
    yield { subject: image, message: error.message };
  }
}

async function* examineContainers(
  context: StoreContext,
  images: ReadonlySet<string>,
): AsyncGenerator<Problem> {
  for (const record of await listContainers(context)) {
    const subject = `container ${record.name}`;
    if (!images.has(record.imageId)) {
      const message = `its image ${record.image} (${shortId(record.imageId)}) has been removed; load it again to commit`;
      yield { subject, message };
    }
    if (record.driver !== context.driver.name) continue;
    try {
      await openSnapshot(context, record);
    } catch (error) {
      if (!isStrataError(error)) throw error;
      yield { subject, message: error.message };
    }
  }
}

async function collect(problems: AsyncIterable<Problem>): Promise<Problem[]> {
  const found: Problem[] = [];
  for await (const problem of problems) found.push(problem);
  return found;
}
