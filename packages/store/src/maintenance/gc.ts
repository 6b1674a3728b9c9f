import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type CallOptions,
  type CleanupReport,
  type Digest,
  isDigest,
  isStrataError,
  removeTree,
} from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { removePartialBlobs } from "../content/partial-blobs.ts";
import { blobsDir, containersDir } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { liveBlobs } from "../images/content.ts";
import { dropChains } from "../ingest/live-chains.ts";
import { reapIngests, removeActive } from "../ingest/reap.ts";
import { reapNotes } from "../uploads/reap-notes.ts";
import { orphans } from "./orphans.ts";

/**
 * Give back what nothing owns: staging of killed processes, downloads that were interrupted, blobs and layers of no
 * image, notes of uploads that nobody can go on with, snapshots of no container, temporary files, and what the driver
 * still holds of removed snapshots. No image and no container is removed.
 *
 * Garbage is a set difference, taken under the store's lock; what a load, import, commit or create in another process
 * has begun is never among it.
 *
 * Cost: reads the documents of all images, and looks at each blob and snapshot; then what is removed.
 * @throws StrataError `Corrupt`, if an image's documents are damaged, since nobody knows then what must stay
 */
export async function collectGarbage(
  context: StoreContext,
  options: CallOptions = {},
): Promise<CleanupReport> {
  options.signal?.throwIfAborted();
  const reports = [await reapIngests(context)];
  failpoint("gc.staging-reaped");
  reports.push(await removePartialBlobs(context.root));
  failpoint("gc.downloads-removed");
  await withStoreLock(
    context.root,
    async () => {
      reports.push(await removeFiles(await garbageFiles(context.root)));
      failpoint("gc.files-removed");
      for (const key of await orphans(context)) {
        await removeOrphan(context, key);
        failpoint("gc.orphan-removed");
      }
      await dropChains(context, await layerSnapshots(context));
      failpoint("gc.layers-dropped");
    },
    options.signal,
  );
  reports.push(await reapNotes(context.root));
  // Here, without the lock, the bytes of the snapshots just removed are given back.
  reports.push(await context.driver.cleanup(options));
  return {
    removed: reports.reduce((sum, { removed }) => sum + removed, 0),
    bytes: reports.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Who holds the store's lock knows that nobody is writing a temporary file now. */
async function garbageFiles(root: string): Promise<string[]> {
  const live = await liveBlobs(root);
  const isLive = (name: string) => live.has(`sha256:${name}`);
  const isTemporary = (name: string) => name.endsWith(".tmp");
  return [
    ...(await filesOf(root, isTemporary)),
    ...(await filesOf(containersDir(root), isTemporary)),
    ...(await filesOf(blobsDir(root), (name) => !isLive(name))),
  ];
}

async function filesOf(dir: string, matches: (name: string) => boolean): Promise<string[]> {
  return (await readdir(dir)).filter(matches).map((name) => join(dir, name));
}

async function removeFiles(paths: readonly string[]): Promise<CleanupReport> {
  let bytes = 0;
  for (const path of paths) bytes += (await removeTree(path)).bytes;
  return { removed: paths.length, bytes };
}

/** The snapshots that are named like layers, parents before children. */
async function layerSnapshots({ driver }: StoreContext): Promise<Digest[]> {
  const parents = new Map<Digest, string | undefined>();
  for await (const { id, parent } of driver.list({ kind: "committed" })) {
    if (isDigest(id)) parents.set(id, parent);
  }
  const ordered = new Set<Digest>();
  const add = (id: string | undefined): void => {
    if (!isDigest(id) || ordered.has(id) || !parents.has(id)) return;
    add(parents.get(id));
    ordered.add(id);
  };
  for (const id of parents.keys()) add(id);
  return [...ordered];
}

/** Nobody can reach it any more, so nobody else can unmount it. */
async function removeOrphan(context: StoreContext, key: string): Promise<void> {
  try {
    await unmountIfWhole(context, key);
    await removeActive(context, key);
  } catch (error) {
    // Somebody is about to remove it, or has it mounted for a moment: the next gc.
    if (!isStrataError(error, "NotFound") && !isStrataError(error, "Busy")) throw error;
  }
}

async function unmountIfWhole({ driver }: StoreContext, key: string): Promise<void> {
  try {
    const snapshot = await driver.open(key);
    if (snapshot.kind === "active") await snapshot.unmount({ force: true });
  } catch (error) {
    if (!isStrataError(error, "Corrupt")) throw error;
  }
}
