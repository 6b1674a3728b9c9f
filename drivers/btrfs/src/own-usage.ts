import type { Usage } from "@strata/core";
import {
  BTRFS_EXTENT_DATA,
  BTRFS_INODE_ITEM,
  BTRFS_ROOT_DIRECTORY,
  btrfsTreeSearch,
  decodeFileExtent,
  decodeInodeItem,
} from "@strata/linux";
import type { Subvolume } from "./subvolume.ts";

/** What stat(2) counts for a small file, whose content is in the tree. */
const block = 4096;

/**
 * What a subvolume alone holds of what is on disk: the content that was written since it was made, as it is stored
 * (compressed, if it is), shared pieces once; and the inodes that were made or changed. Not counted is the tree itself:
 * 16 KiB for a snapshot that nobody has changed.
 *
 * Cost: proportional to what was written and changed; see touched.ts. Yields in between.
 */
export function* ownUsage(subvolume: Subvolume): Generator<void, Usage> {
  const { madeIn, isSnapshot } = subvolume.info;
  const since = isSnapshot ? madeIn : 0n;
  const seen = new Set<number>();
  let bytes = 0;
  let inodes = 0;
  for (const tree of subvolume.trees()) {
    const objects = [BTRFS_ROOT_DIRECTORY, 0xffff_ffff_ffff_ff00n] as const;
    const types = [BTRFS_INODE_ITEM, BTRFS_EXTENT_DATA] as const;
    const search = { tree, objects, types, minTransid: since + 1n };
    for (const item of btrfsTreeSearch(subvolume.fd, search)) {
      yield;
      if (item.type === BTRFS_INODE_ITEM && decodeInodeItem(item).changedIn > since) inodes += 1;
      if (item.type !== BTRFS_EXTENT_DATA) continue;
      const { madeIn, address, diskBytes } = decodeFileExtent(item);
      if (madeIn <= since) continue;
      if (address === undefined) {
        bytes += Math.ceil(diskBytes / block) * block;
      } else if (!seen.has(Number(address))) {
        seen.add(Number(address));
        bytes += diskBytes;
      }
    }
  }
  return { bytes, inodes };
}
