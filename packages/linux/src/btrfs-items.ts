import { BTRFS_INODE_EXTREF, BTRFS_ROOT_ITEM, type BtrfsItem } from "./btrfs-search.ts";
import type { Timespec } from "./stat.ts";

/*
 * What the items of btrfs say: the structs of include/uapi/linux/btrfs_tree.h, which are packed and little-endian.
 * Only what is of use here is read.
 */

export interface BtrfsInode {
  /** The transaction that made it. */
  readonly madeIn: bigint;
  /** The last transaction that changed its metadata, content, names, or the names in it. */
  readonly changedIn: bigint;
  /** How many names it has; of a directory always 1. */
  readonly nlink: number;
  /** Type (S_IF*) and permissions. */
  readonly mode: number;
  readonly ctime: Timespec;
}

/**
 * Of an INODE_ITEM. struct btrfs_inode_item: u64 generation, u64 transid, ..., u32 nlink at 40, u32 mode at 52, and from
 * 112 on atime, ctime, mtime and otime, each s64 sec and u32 nsec.
 */
export function decodeInodeItem({ data }: BtrfsItem): BtrfsInode {
  return {
    madeIn: data.readBigUInt64LE(0),
    changedIn: data.readBigUInt64LE(8),
    nlink: data.readUInt32LE(40),
    mode: data.readUInt32LE(52),
    ctime: readTimespec(data, 124),
  };
}

function readTimespec(data: Buffer, at: number): Timespec {
  return { sec: Number(data.readBigInt64LE(at)), nsec: data.readUInt32LE(at + 8) };
}

/** A name of something, and the directory that it is in. */
export interface BtrfsName {
  readonly directory: bigint;
  readonly name: Buffer;
}

/**
 * Names of an inode, of an INODE_REF or INODE_EXTREF item. struct btrfs_inode_ref: u64 index, u16 name_len, and the
 * name; the item's offset is the directory. struct btrfs_inode_extref: u64 parent_objectid before that. One item can
 * hold several.
 */
export function* decodeInodeNames({ type, offset, data }: BtrfsItem): Generator<BtrfsName, void> {
  const extended = type === BTRFS_INODE_EXTREF;
  for (let at = 0; at < data.length; ) {
    const directory = extended ? data.readBigUInt64LE(at) : offset;
    at += extended ? 16 : 8;
    const start = at + 2;
    at = start + data.readUInt16LE(at);
    yield { directory, name: data.subarray(start, at) };
  }
}

/** Where a subvolume is in the one above, of a ROOT_REF item. struct btrfs_root_ref: u64 dirid, u64, u16 name_len. */
export function decodeRootRef({ data }: BtrfsItem): BtrfsName {
  return {
    directory: data.readBigUInt64LE(0),
    name: data.subarray(18, 18 + data.readUInt16LE(16)),
  };
}

/** A name in a directory. */
export interface BtrfsDirEntry {
  readonly name: Buffer;
  readonly isDirectory: boolean;
  readonly inode: bigint | undefined;
  /** The subvolume that is there in place of an inode. */
  readonly subvolume: bigint | undefined;
}

const FT_DIR = 2;

/**
 * Of a DIR_INDEX item. struct btrfs_dir_item: a key (u64 objectid, u8 type, u64 offset), u64 transid, u16 data_len,
 * u16 name_len, u8 type.
 */
export function decodeDirEntry({ data }: BtrfsItem): BtrfsDirEntry {
  const object = data.readBigUInt64LE(0);
  const isSubvolume = data.readUInt8(8) === BTRFS_ROOT_ITEM;
  return {
    name: data.subarray(30, 30 + data.readUInt16LE(27)),
    isDirectory: data.readUInt8(29) === FT_DIR,
    inode: isSubvolume ? undefined : object,
    subvolume: isSubvolume ? object : undefined,
  };
}

/** A piece of a file's content. */
export interface BtrfsFileExtent {
  /** The transaction that wrote it. */
  readonly madeIn: bigint;
  /** Where it is on disk, which several files can share; undefined for content in the tree itself and for a hole. */
  readonly address: bigint | undefined;
  /** What it takes on disk, in bytes; of content in the tree, its length. */
  readonly diskBytes: number;
}

const FILE_EXTENT_INLINE = 0;

/**
 * Of an EXTENT_DATA item. struct btrfs_file_extent_item: u64 generation, u64 ram_bytes, u32 of encodings, u8 type, and
 * then the content, or u64 disk_bytenr, u64 disk_num_bytes, ...
 */
export function decodeFileExtent({ data }: BtrfsItem): BtrfsFileExtent {
  const madeIn = data.readBigUInt64LE(0);
  if (data.readUInt8(20) === FILE_EXTENT_INLINE) {
    return { madeIn, address: undefined, diskBytes: data.length - 21 };
  }
  const address = data.readBigUInt64LE(21);
  return {
    madeIn,
    address: address === 0n ? undefined : address,
    diskBytes: address === 0n ? 0 : Number(data.readBigUInt64LE(29)),
  };
}

export interface BtrfsQuotaStatus {
  readonly on: boolean;
  /** Simple quotas, see {@link btrfsQuotaEnableSimple}. */
  readonly simple: boolean;
}

const QGROUP_STATUS_ON = 1n;
const QGROUP_STATUS_SIMPLE = 8n;

/** Of the QGROUP_STATUS item. struct btrfs_qgroup_status_item: u64 version, u64 generation, u64 flags, ... */
export function decodeQuotaStatus({ data }: BtrfsItem): BtrfsQuotaStatus {
  const flags = data.readBigUInt64LE(16);
  return { on: (flags & QGROUP_STATUS_ON) !== 0n, simple: (flags & QGROUP_STATUS_SIMPLE) !== 0n };
}

/** What counts for a subvolume, in bytes, of a QGROUP_INFO item. struct btrfs_qgroup_info_item: u64, u64 rfer, ... */
export function decodeQgroupBytes({ data }: BtrfsItem): number {
  return Number(data.readBigUInt64LE(8));
}
