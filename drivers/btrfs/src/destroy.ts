import { setTimeout } from "node:timers/promises";
import { type CallOptions, inTurns, removeTree, type Usage } from "@strata/core";
import {
  AT_FDCWD,
  BTRFS_ROOT_DIRECTORY,
  btrfsSubvolReadonly,
  btrfsSync,
  close,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  statxOrUndefined,
  syncfsInBackground,
} from "@strata/linux";
import { ownUsage } from "./own-usage.ts";
import { removeStaleCounts, subvolumeExists } from "./quota.ts";
import { Subvolume } from "./subvolume.ts";

/**
 * Delete a snapshot's directory with its subvolume, and what is nested in that. The kernel gives the space back later,
 * see {@link reclaim}.
 * @param durable - whether what is read-only is on disk: it was committed durably, or is empty
 */
export async function destroy(dir: string, durable: boolean, options: CallOptions): Promise<Destroyed> {
  options.signal?.throwIfAborted();
  const { ids, usage } = await destroySubvolume(`${dir}/tree`, durable, options);
  const others = await removeTree(dir, options);
  return { ids, usage: { bytes: usage.bytes + others.bytes, inodes: usage.inodes + others.inodes } };
}

export interface Destroyed {
  /** Of subvolumes. */
  readonly ids: readonly bigint[];
  /** What they alone held on disk. */
  readonly usage: Usage;
}

async function destroySubvolume(path: string, durable: boolean, options: CallOptions): Promise<Destroyed> {
  // Nobody but who meddles puts anything else there.
  if (statxOrUndefined(AT_FDCWD, path)?.ino !== BTRFS_ROOT_DIRECTORY)
    return { ids: [], usage: { bytes: 0, inodes: 0 } };
  using subvolume = Subvolume.open(path);
  // Only what is on disk has a size there.
  if (!durable || !btrfsSubvolReadonly(subvolume.fd)) await syncfsInBackground(subvolume.fd);
  const usage = await inTurns(ownUsage(subvolume), options);
  return { ids: subvolume.destroy(), usage };
}

/** How long to wait for the kernel's cleaner, if nothing comes of it. */
const patienceMs = 5000;

/**
 * Wait until the kernel's cleaner has given back the space of destroyed subvolumes, and remove what was counted for
 * them. It takes some milliseconds for a small tree. While a process has a file open in one, the cleaner has to wait
 * itself: after five seconds in which nothing happened it is left to go on alone.
 * @param directory - any of the file system
 */
export async function reclaim(
  directory: string,
  ids: readonly bigint[],
  { signal }: CallOptions,
): Promise<void> {
  const fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  try {
    await btrfsSync(fd);
    let left = ids;
    for (let until = performance.now() + patienceMs; left.length > 0 && performance.now() < until; ) {
      signal?.throwIfAborted();
      const still = left.filter((id) => subvolumeExists(fd, id));
      if (still.length < left.length) until = performance.now() + patienceMs;
      else await setTimeout(pollMs);
      left = still;
    }
    removeStaleCounts(fd, ids);
  } finally {
    close(fd);
  }
}

const pollMs = 2;
