import { errnoCode } from "@strata/core";
import {
  BTRFS_QGROUP_INFO,
  BTRFS_QGROUP_STATUS,
  BTRFS_QUOTA_TREE,
  BTRFS_ROOT_ITEM,
  BTRFS_ROOT_TREE,
  btrfsQgroupRemove,
  btrfsTreeSearch,
  decodeQgroupBytes,
  decodeQuotaStatus,
} from "@strata/linux";

/** The quotas of the file system that the open file is on. Those that are not simple also count what is shared. */
export function quotaMode(fd: number): "off" | "simple" | "full" {
  try {
    const types = [BTRFS_QGROUP_STATUS, BTRFS_QGROUP_STATUS] as const;
    for (const item of btrfsTreeSearch(fd, { tree: BTRFS_QUOTA_TREE, types })) {
      const { on, simple } = decodeQuotaStatus(item);
      if (on) return simple ? "simple" : "full";
    }
  } catch (error) {
    if (errnoCode(error) !== "ENOENT") throw error;
  }
  return "off";
}

/**
 * Remove the counts of subvolumes that are gone, up to the newest of `gone`. The kernel (since 6.11) does it when it drops a
 * subvolume, but not if something that the subvolume wrote is still kept by a snapshot of it: then nobody would. A
 * count with nothing in it is of no use to anybody, since ids are never used again.
 *
 * Still newer ones are left alone: a subvolume that is just being made has its count before it is there itself.
 */
export function removeStaleCounts(fd: number, gone: readonly bigint[]): void {
  const last = gone.reduce((a, b) => (a > b ? a : b), 0n);
  if (quotaMode(fd) !== "simple") return;
  const types = [BTRFS_QGROUP_INFO, BTRFS_QGROUP_INFO] as const;
  const counts = [...btrfsTreeSearch(fd, { tree: BTRFS_QUOTA_TREE, types, offsets: [firstSubvolume, last] })];
  for (const count of counts) {
    if (decodeQgroupBytes(count) > 0 || subvolumeExists(fd, count.offset)) continue;
    try {
      btrfsQgroupRemove(fd, count.offset);
    } catch (error) {
      // Somebody else was faster, or the count is not as empty as it was on disk.
      if (errnoCode(error) !== "ENOENT" && errnoCode(error) !== "EBUSY") throw error;
    }
  }
}

const firstSubvolume = 256n;

/** Whether a subvolume is there; one that was destroyed is, until the kernel has cleaned it up. */
export function subvolumeExists(fd: number, id: bigint): boolean {
  const types = [BTRFS_ROOT_ITEM, BTRFS_ROOT_ITEM] as const;
  for (const _ of btrfsTreeSearch(fd, { tree: BTRFS_ROOT_TREE, objects: [id, id], types })) return true;
  return false;
}
