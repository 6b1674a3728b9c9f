import { type Digest, isStrataError, type StrataError } from "@strata/core";
import { listContainers } from "../containers/records.ts";
import { mountPoint } from "../containers/snapshot.ts";
import type { StoreContext } from "../content/context.ts";
import {
  type IndexEntry,
  readIndex,
  readStoreIndex,
  updateIndex,
  updateStoreIndex,
} from "../content/image-index.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { dropChains } from "../ingest/live-chains.ts";
import { reclaim } from "../reclaim.ts";
import { parseName, parseReference } from "../reference.ts";
import { removeHosted } from "../repositories/remove-hosted.ts";
import { contentOf, type ImageContent, reachableFrom } from "./content.ts";
import { dropBlobs } from "./drop-blobs.ts";
import { findImage } from "./find.ts";
import { type ImageEntries, imageIdOf } from "./references.ts";
import { type ImageUser, planRemoval, type RemovalOptions, type RemovalStep } from "./removal-plan.ts";

export interface RemoveImagesOptions {
  /** In spite of stopped containers and of several references. @defaultValue false */
  readonly force?: boolean;
  /** Remove parents that have no reference of their own, too. @defaultValue true */
  readonly prune?: boolean;
}

/** A reference that was taken away, as docker prints it, or an image or a layer (by ChainID) that was deleted. */
export type RemovalEvent = { readonly untagged: string } | { readonly deleted: Digest };

/** What became of one of the references that were to be removed. */
export interface Removal {
  readonly reference: string;
  readonly events: readonly RemovalEvent[];
  /** Why nothing was done. */
  readonly error?: StrataError;
}

/**
 * Untag images, and remove those without a tag left. One that cannot be removed does not keep the others from it,
 * and their order does not matter: a parent may stand before its children. One that a pushed index names stays in its
 * repository, for those who pull the index. A name that no image has may be that of something else that was pushed.
 *
 * The commit point is the replacement of the index, one for all. A process that is killed after it leaves garbage,
 * which gc finds.
 */
export async function removeImages(
  context: StoreContext,
  references: readonly string[],
  { force = false, prune = true }: RemoveImagesOptions = {},
): Promise<Removal[]> {
  const removals = await withStoreLock(context.root, async () => {
    const before = await readIndex(context.root);
    const users = await imageUsers(context);
    const { entries, outcomes } = planAll(before, users, references, { force, prune });
    if (entries === before) {
      const nothing = outcomes.map(({ reference, error }) => removalOf(reference, [], error));
      return await removePushed(context, nothing);
    }
    await updateIndex(context, () => entries);
    const images = outcomes.flatMap(({ steps }) =>
      steps.flatMap((step) => ("image" in step ? [step.image] : [])),
    );
    const layers = await dropContent(context, images);
    const done = outcomes.map(({ reference, steps, error }) =>
      removalOf(
        reference,
        steps.flatMap((step): RemovalEvent[] =>
          "untagged" in step ? [step] : deletionsOf(step.image, layers),
        ),
        error,
      ),
    );
    return await removePushed(context, done);
  });
  if (removals.some(({ events }) => events.some((event) => "deleted" in event))) await reclaim(context);
  return removals;
}

/** For names of no image: an index or an artifact that was pushed under it. Each is a commit point of its own. */
async function removePushed(context: StoreContext, removals: readonly Removal[]): Promise<Removal[]> {
  const { root } = context;
  const results: Removal[] = [];
  for (const removal of removals) {
    const { images, hosted } = await readStoreIndex(root);
    const isUnknown = removal.error?.code === "NotFound" && !/^[0-9a-f]{64}$/.test(removal.reference);
    const change = isUnknown
      ? await removeHosted(root, hosted, parseReference(removal.reference))
      : undefined;
    if (change === undefined) {
      results.push(removal);
      continue;
    }
    const blobs = await Promise.all(change.deleted.map((digest) => reachableFrom(root, digest)));
    await updateStoreIndex(context, (index) => ({ ...index, hosted: change.hosted }));
    await dropIfKnown(() =>
      dropBlobs(
        root,
        blobs.flatMap((each) => [...each]),
      ),
    );
    const left = new Set([...images, ...change.hosted].map((entry) => entry.digest));
    results.push(
      removalOf(removal.reference, [
        ...change.untagged.map((name) => ({ untagged: parseName(name).familiar() })),
        ...change.deleted.filter((digest) => !left.has(digest)).map((deleted) => ({ deleted })),
      ]),
    );
  }
  return results;
}

function deletionsOf(own: ImageEntries, layers: ReadonlyMap<Digest, readonly Digest[]>): RemovalEvent[] {
  const id = imageIdOf(own[0]);
  return [id, ...(layers.get(id) ?? [])].map((deleted) => ({ deleted }));
}

function removalOf(reference: string, events: readonly RemovalEvent[], error?: StrataError): Removal {
  return { reference, events, ...(error && { error }) };
}

interface Outcome {
  readonly reference: string;
  readonly steps: readonly RemovalStep[];
  readonly error?: StrataError;
}

/** Plan each removal on what the others leave, and those that are in each other's way again, while that helps. */
function planAll(
  before: readonly IndexEntry[],
  users: readonly ImageUser[],
  references: readonly string[],
  options: RemovalOptions,
): { entries: readonly IndexEntry[]; outcomes: Outcome[] } {
  let entries = before;
  const outcomes = new Map<string, Outcome>();
  let waiting = [...new Set(references)];
  let count: number;
  do {
    count = waiting.length;
    waiting = waiting.filter((reference) => {
      try {
        const plan = planRemoval(entries, users, reference, options);
        entries = plan.entries;
        outcomes.set(reference, { reference, steps: plan.steps });
        return false;
      } catch (error) {
        if (!isStrataError(error)) throw error;
        // It went with another one of the references: nothing is wrong with that.
        const isGone = error.code === "NotFound" && isThere(before, reference);
        outcomes.set(reference, { reference, steps: [], ...(!isGone && { error }) });
        return error.code === "FailedPrecondition";
      }
    });
  } while (waiting.length > 0 && waiting.length < count);
  return { entries, outcomes: [...outcomes.values()] };
}

function isThere(entries: readonly IndexEntry[], text: string): boolean {
  try {
    return findImage(entries, text) !== undefined;
  } catch {
    return false;
  }
}

async function imageUsers(context: StoreContext): Promise<ImageUser[]> {
  const records = await listContainers(context);
  return await Promise.all(
    records.map(async (record) => ({
      id: record.id,
      imageId: record.imageId,
      running: (await mountPoint(context, record)) !== undefined,
    })),
  );
}

/**
 * Remove what only these images needed.
 * @returns for each image the layers that went with it, the top one first
 */
async function dropContent(
  context: StoreContext,
  images: readonly ImageEntries[],
): Promise<ReadonlyMap<Digest, readonly Digest[]>> {
  const byImage = new Map<Digest, readonly Digest[]>();
  await dropIfKnown(async () => {
    const contents = new Map<Digest, ImageContent>();
    for (const own of images) contents.set(imageIdOf(own[0]), await contentOf(context.root, own));
    const chains = new Set([...contents.values()].flatMap((content) => [...content.chains]));
    const dropped = new Set(await dropChains(context, [...chains]));
    // A layer that several of them had goes with the last.
    for (const [id, { chains: own }] of [...contents].reverse()) {
      byImage.set(
        id,
        [...own].reverse().filter((chain) => dropped.delete(chain)),
      );
    }
    await dropBlobs(
      context.root,
      [...contents.values()].flatMap((content) => [...content.blobs]),
    );
  });
  return byImage;
}

/** With damaged documents nobody can tell what is garbage; `check` says what to do, then gc removes it. */
async function dropIfKnown(drop: () => Promise<void>): Promise<void> {
  try {
    await drop();
  } catch (error) {
    if (!isStrataError(error, "Corrupt")) throw error;
  }
}
