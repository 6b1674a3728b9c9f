import { fail } from "./errors.ts";
import * as native from "./syscalls.ts";

/** Trees of btrfs that are not subvolumes, by their id. */
export const BTRFS_ROOT_TREE = 1n;
export const BTRFS_QUOTA_TREE = 8n;

/** The root directory of each subvolume. */
export const BTRFS_ROOT_DIRECTORY = 256n;

/** Types of items. */
export const BTRFS_INODE_ITEM = 1;
export const BTRFS_INODE_REF = 12;
export const BTRFS_INODE_EXTREF = 13;
export const BTRFS_DIR_INDEX = 96;
export const BTRFS_EXTENT_DATA = 108;
export const BTRFS_ROOT_ITEM = 132;
export const BTRFS_ROOT_REF = 156;
export const BTRFS_QGROUP_STATUS = 240;
export const BTRFS_QGROUP_INFO = 242;

/** What to look for in a tree. */
export interface BtrfsSearch {
  /** The tree's id; 0 for the subvolume that the open file is in. */
  readonly tree: bigint;
  /** The first and last object, in a subvolume an inode. @defaultValue all */
  readonly objects?: readonly [first: bigint, last: bigint];
  /** The first and last type of item. */
  readonly types: readonly [first: number, last: number];
  /** The first and last offset, whatever that is to the type. @defaultValue all */
  readonly offsets?: readonly [first: bigint, last: bigint];
  /**
   * Skip what lies in blocks of the tree that no transaction from this one on has written. A block is about a hundred
   * items: what is found may be older, but of what is newer nothing is left out. @defaultValue 0
   */
  readonly minTransid?: bigint;
}

/** An item of a tree. */
export interface BtrfsItem {
  readonly object: bigint;
  readonly type: number;
  readonly offset: bigint;
  /** As on disk, see {@link decodeInodeItem} and its like. */
  readonly data: Buffer;
}

// _IOWR(0x94, 17, struct btrfs_ioctl_search_args_v2): the key of 104 bytes, u64 buf_size, then the items.
const TREE_SEARCH_V2 = 0xc0709411;
const argsBytes = 112;
/** A block of the largest size that there is; each item lies in one. */
const largestItem = 64 * 1024;
const args = Buffer.allocUnsafeSlow(argsBytes + 4 * largestItem);
// Its methods are the engine's own, and quick before they are compiled: a process often searches only once.
const view = new DataView(args.buffer);
const fields = {
  tree: 0,
  minObject: 8,
  maxObject: 16,
  minOffset: 24,
  maxOffset: 32,
  minTransid: 40,
  maxTransid: 48,
  minType: 56,
  maxType: 60,
  items: 64,
  size: 104,
} as const;
// struct btrfs_ioctl_search_header: u64 transid, u64 objectid, u64 offset, u32 type, u32 len.
const headerBytes = 32;

const maxId = 0xffff_ffff_ffff_ffffn;

/**
 * The items of a tree that match, in the order of their keys: object, type, offset. Sees the running transaction, but
 * not what the kernel has put off: data on their way to the disk, and metadata of inodes that were just changed; call
 * {@link syncfs} first where these matter. Needs CAP_SYS_ADMIN. Cost: proportional to what lies between the first and
 * the last object in the blocks that were not skipped. What is found at a time, up to 256 KiB, stays in memory as long
 * as one of its items.
 * @param fd - any open file of the file system
 * @throws SystemError ENOENT, if there is no such tree
 */
export function* btrfsTreeSearch(fd: number, search: BtrfsSearch): Generator<BtrfsItem, void> {
  const [firstObject, lastObject] = search.objects ?? [0n, maxId];
  const [firstType, lastType] = search.types;
  const [firstOffset, lastOffset] = search.offsets ?? [0n, maxId];
  const to = { object: lastObject, type: lastType, offset: lastOffset };
  for (let from: Key | undefined = { object: firstObject, type: firstType, offset: firstOffset }; from; ) {
    const { items, last } = searchOnce(fd, search, from, to);
    for (const item of items) {
      if (item.offset >= firstOffset && item.offset <= lastOffset) yield item;
    }
    from = last && following(last);
  }
}

type Key = Pick<BtrfsItem, "object" | "type" | "offset">;

/** @returns what is of the types that are looked for, and the last key of all that was found, if there may be more */
function searchOnce(
  fd: number,
  { tree, types: [firstType, lastType], minTransid = 0n }: BtrfsSearch,
  from: Key,
  to: Key,
): { items: BtrfsItem[]; last: Key | undefined } {
  args.fill(0, 0, argsBytes);
  view.setBigUint64(fields.tree, tree, true);
  view.setBigUint64(fields.minObject, from.object, true);
  view.setBigUint64(fields.maxObject, to.object, true);
  view.setBigUint64(fields.minOffset, from.offset, true);
  view.setBigUint64(fields.maxOffset, to.offset, true);
  view.setBigUint64(fields.minTransid, minTransid, true);
  view.setBigUint64(fields.maxTransid, maxId, true);
  view.setUint32(fields.minType, from.type, true);
  view.setUint32(fields.maxType, to.type, true);
  view.setUint32(fields.items, 0xffff_ffff, true);
  view.setBigUint64(fields.size, BigInt(args.length - argsBytes), true);
  if (native.ioctl(fd, TREE_SEARCH_V2, args) < 0) fail("ioctl TREE_SEARCH_V2");

  const wanted: number[] = [];
  let at = argsBytes;
  let last = at;
  for (let left = view.getUint32(fields.items, true); left > 0; left--) {
    const type = view.getUint32(at + 24, true);
    // The kernel takes the keys as one long number, so there are others between those that were meant. There may be
    // far more of these, with the contents of small files in them.
    if (type >= firstType && type <= lastType) wanted.push(at);
    last = at;
    at += headerBytes + view.getUint32(at + 28, true);
  }
  // Whoever takes these items may search again meanwhile.
  const found = wanted.length === 0 ? args : Buffer.from(args.subarray(0, at));
  const items = wanted.map((start) => {
    const dataStart = start + headerBytes;
    return { ...keyAt(start), data: found.subarray(dataStart, dataStart + view.getUint32(start + 28, true)) };
  });
  // The kernel ends early only when the next item has no room.
  const isAll = args.length - at >= headerBytes + largestItem;
  return { items, last: isAll ? undefined : keyAt(last) };
}

/** Of the item whose header is there. */
function keyAt(at: number): Key {
  return {
    object: view.getBigUint64(at + 8, true),
    type: view.getUint32(at + 24, true),
    offset: view.getBigUint64(at + 16, true),
  };
}

function following({ object, type, offset }: Key): Key | undefined {
  if (offset < maxId) return { object, type, offset: offset + 1n };
  if (type < 255) return { object, type: type + 1, offset: 0n };
  return object < maxId ? { object: object + 1n, type: 0, offset: 0n } : undefined;
}
