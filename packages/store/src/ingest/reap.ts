import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type CleanupReport, errnoCode, FileLock, isStrataError, removeTree } from "@strata/core";
import { listContainers } from "../containers/records.ts";
import type { StoreContext } from "../content/context.ts";
import { ingestDir } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { type Holds, readHolds } from "./holds.ts";

export const ownerFile = (dir: string): string => join(dir, "owner");

/**
 * Remove the staging of processes that were killed, with their active snapshots. What a living process stages is
 * never touched, nor what was staged for another driver.
 * Cost: one look at each staging directory, plus what is removed.
 */
export async function reapIngests(context: StoreContext): Promise<CleanupReport> {
  const { root, driver } = context;
  let removed = 0;
  let bytes = 0;
  if ((await readdir(ingestDir(root))).length === 0) return { removed, bytes };
  for (const { dir, owner } of await takeDead(root)) {
    using _owner = owner;
    const holds = await readHolds(dir);
    if (holds !== undefined && holds.driver !== driver.name) continue;
    for (const key of await abandoned(context, holds)) {
      await removeActive(context, key);
      failpoint("reap.active-removed");
    }
    bytes += await removeStaging(dir);
    removed += 1;
  }
  return { removed, bytes };
}

/** A container's snapshot is its own from the moment when there is a record. */
async function abandoned(context: StoreContext, holds: Holds | undefined): Promise<string[]> {
  const containers = new Set((await listContainers(context)).map(({ id }) => id));
  return (holds?.actives ?? []).filter((key) => !containers.has(key));
}

/** The lock keeps out a process that has made its directory but does not own it yet. */
async function takeDead(root: string): Promise<{ dir: string; owner: FileLock }[]> {
  return await withStoreLock(root, async () => {
    const dead: { dir: string; owner: FileLock }[] = [];
    for (const id of await readdir(ingestDir(root))) {
      const dir = join(ingestDir(root), id);
      const owner = await tryOwn(dir);
      if (owner !== undefined) dead.push({ dir, owner });
    }
    return dead;
  });
}

async function tryOwn(dir: string): Promise<FileLock | undefined> {
  try {
    return FileLock.tryTake(ownerFile(dir), "exclusive", { create: false });
  } catch (error) {
    if (errnoCode(error) !== "ENOENT") throw error;
    // Its process is just removing it, or was killed at its very beginning or end, when it is empty.
    await rmdir(dir).catch(() => {});
    return undefined;
  }
}

/**
 * Remove a staging directory whose owner lock is held, the lock's file last: so it is known as garbage to the end.
 * @returns the bytes on disk that this gave back
 */
export async function removeStaging(dir: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(dir)) {
    if (join(dir, name) !== ownerFile(dir)) bytes += (await removeTree(join(dir, name))).bytes;
  }
  failpoint("staging.emptied");
  await rm(dir, { recursive: true, force: true });
  failpoint("staging.removed");
  return bytes;
}

/** Remove an active snapshot that may never have been made, or was committed. */
export async function removeActive({ driver }: StoreContext, key: string): Promise<void> {
  try {
    await driver.remove(key);
  } catch (error) {
    if (!isStrataError(error, "NotFound")) throw error;
  }
}
