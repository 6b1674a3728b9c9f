import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type CallOptions, inTurns, removeTree, type Usage } from "@strata/core";
import {
  AT_FDCWD,
  BTRFS_ROOT_DIRECTORY,
  btrfsStartSync,
  close,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  statxOrUndefined,
} from "@strata/linux";
import { ownUsage } from "./own-usage.ts";
import { removeStaleCounts, subvolumeExists } from "./quota.ts";
import { Subvolume } from "./subvolume.ts";

/** How long to wait for the kernel's cleaner, a snapshot. */
const patienceMs = 2000;

/**
 * Delete a snapshot's directory with its subvolume, and what is nested in that. Returns when the kernel's cleaner has
 * given the space back, in some milliseconds for a small tree; or after two seconds, for it goes on without us. It has
 * to wait itself, while a process has a file in the tree open.
 * @returns what the snapshot alone held on disk; what was still on its way there is not counted
 */
export async function destroy(dir: string, options: CallOptions): Promise<Usage> {
  options.signal?.throwIfAborted();
  const { ids, usage } = await destroySubvolume(`${dir}/tree`, options);
  const others = await removeTree(dir, options);
  if (ids.length > 0) await cleaned(dirname(dir), ids, options);
  return { bytes: usage.bytes + others.bytes, inodes: usage.inodes + others.inodes };
}

async function destroySubvolume(
  path: string,
  options: CallOptions,
): Promise<{ ids: bigint[]; usage: Usage }> {
  // Nobody but who meddles puts anything else there.
  if (statxOrUndefined(AT_FDCWD, path)?.ino !== BTRFS_ROOT_DIRECTORY)
    return { ids: [], usage: { bytes: 0, inodes: 0 } };
  using subvolume = Subvolume.open(path);
  const usage = await inTurns(ownUsage(subvolume), options);
  return { ids: subvolume.destroy(), usage };
}

async function cleaned(directory: string, ids: readonly bigint[], { signal }: CallOptions): Promise<void> {
  const fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  try {
    btrfsStartSync(fd); // Else the cleaner would come with the next transaction, up to half a minute later.
    const until = performance.now() + patienceMs;
    while (ids.some((id) => subvolumeExists(fd, id))) {
      if (performance.now() > until) return;
      await setTimeout(2);
      signal?.throwIfAborted();
    }
    removeStaleCounts(
      fd,
      ids.reduce((a, b) => (a > b ? a : b)),
    );
  } finally {
    close(fd);
  }
}
