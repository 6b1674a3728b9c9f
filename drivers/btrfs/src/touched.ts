import {
  BTRFS_DIR_INDEX,
  BTRFS_INODE_EXTREF,
  BTRFS_INODE_ITEM,
  BTRFS_ROOT_DIRECTORY,
  type BtrfsInode,
  type BtrfsName,
  btrfsTreeSearch,
  decodeDirEntry,
  decodeInodeItem,
  decodeInodeNames,
  S_IFDIR,
  S_IFMT,
  type Timespec,
} from "@strata/linux";
import { join, type Subvolume } from "./subvolume.ts";

/*
 * What was touched in a snapshot since it was made, by generation: btrfs writes into each inode the number of the
 * transaction that changed it last, be it content, metadata, xattrs, its names or the names in it; nobody can set it
 * back. And each block of the tree has the number of the transaction that wrote it, so that the kernel skips all blocks
 * that the snapshot still shares with its parent: the search costs what was changed, not what there is.
 *
 * The other way would be the kernel's send stream (BTRFS_IOC_SEND). It is as quick to find changes, but then reads the
 * content of all that changed and pipes it through a format that has to be understood command by command, and it takes
 * a read-only snapshot: another transaction for each look at an active.
 *
 * That number counts reads as well, by the access times that they leave. What was only read still has the ctime that it
 * has in the parent, which the kernel sets on every change and nobody can set back.
 *
 * A snapshot is made in the last moment of a transaction, which nothing can join any more. So all changes are of later
 * ones, and what is of the same transaction is the parent's.
 */

/**
 * The kernel takes ctimes from a clock that ticks every 1 to 10 ms. What changed in the parent this shortly before the
 * snapshot could change within the same tick and keep its ctime.
 */
const tickMs = 20;

/** Inodes of a subvolume; the numbers outside are btrfs's own. */
const inodes = [BTRFS_ROOT_DIRECTORY, 0xffff_ffff_ffff_ff00n] as const;

/**
 * The paths in `tree` that may not be as in `base`, of which it is a snapshot. Everything must be on disk, see
 * {@link btrfsTreeSearch}. Yields undefined where nothing was found, so that the caller can give others a turn.
 *
 * - A name that is gone shows in its directory, which was touched.
 * - A directory that has been moved brings what is in it to other paths, though nothing in it is touched: all of it is
 *   named.
 * - So is all that is in nested subvolumes, which the parent cannot have.
 *
 * Cost: proportional to what was touched or read, and to what is in directories that were moved. Nothing is kept in memory but
 * the paths of directories.
 */
export function* touchedSince(tree: Subvolume, base: Subvolume): Generator<Buffer | undefined, void> {
  const { madeIn: since, otime } = tree.info;
  const settledBefore = milliseconds(otime) - tickMs;
  const walked = new Set<bigint>();
  for (const { inode, number, names } of touchedInodes(tree, since)) {
    yield undefined;
    if (number === BTRFS_ROOT_DIRECTORY) continue; // The root has no name, and is always looked at.
    if (inode.madeIn <= since && milliseconds(inode.ctime) < settledBefore) {
      const before = base.inode(number);
      if (before !== undefined && sameTime(before.ctime, inode.ctime)) continue;
    }
    const paths = names.map((name) => tree.pathOf(name)).filter((path) => path !== undefined);
    yield* paths;
    const [path] = paths;
    if (path === undefined || !isDirectory(inode) || inode.madeIn > since) continue;
    if (!sameName(names[0], base.names(number)[0])) yield* walk(tree, 0n, number, path, walked);
  }
  for (const { id, path } of tree.nested()) {
    yield path;
    yield* walk(tree, id, BTRFS_ROOT_DIRECTORY, path, new Set());
  }
}

interface TouchedInode {
  readonly number: bigint;
  readonly inode: BtrfsInode;
  readonly names: readonly BtrfsName[];
}

function* touchedInodes(tree: Subvolume, since: bigint): Generator<TouchedInode, void> {
  let current: { number: bigint; inode: BtrfsInode; names: BtrfsName[] } | undefined;
  function* finish(): Generator<TouchedInode, void> {
    if (current === undefined) return;
    const { number, inode, names } = current;
    // Names that are in a block of their own may have been skipped with it.
    yield names.length === inode.nlink ? current : { number, inode, names: tree.names(number) };
  }
  const types = [BTRFS_INODE_ITEM, BTRFS_INODE_EXTREF] as const;
  const items = btrfsTreeSearch(tree.fd, { tree: 0n, objects: inodes, types, minTransid: since + 1n });
  for (const item of items) {
    if (item.type === BTRFS_INODE_ITEM) {
      yield* finish();
      const inode = decodeInodeItem(item);
      current = inode.changedIn > since ? { number: item.object, inode, names: [] } : undefined;
    } else if (current?.number === item.object) {
      current.names.push(...decodeInodeNames(item));
    }
  }
  yield* finish();
}

/** All that is in a directory, of the subvolume `id` in `tree` or with 0 of `tree` itself. */
function* walk(
  { fd }: Subvolume,
  id: bigint,
  directory: bigint,
  path: Buffer,
  walked: Set<bigint>,
): Generator<Buffer, void> {
  const left = [{ id, directory, path, walked }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next.walked.has(next.directory)) continue;
    next.walked.add(next.directory);
    const objects = [next.directory, next.directory] as const;
    const search = { tree: next.id, objects, types: [BTRFS_DIR_INDEX, BTRFS_DIR_INDEX] } as const;
    for (const entry of [...btrfsTreeSearch(fd, search)].map(decodeDirEntry)) {
      const path = join(next.path, entry.name);
      yield path;
      const { inode, subvolume } = entry;
      if (subvolume !== undefined) {
        left.push({ id: subvolume, directory: BTRFS_ROOT_DIRECTORY, path, walked: new Set() });
      } else if (entry.isDirectory && inode !== undefined) {
        left.push({ ...next, directory: inode, path });
      }
    }
  }
}

function isDirectory({ mode }: BtrfsInode): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

function milliseconds({ sec, nsec }: Timespec): number {
  return sec * 1000 + nsec / 1e6;
}

function sameTime(a: Timespec, b: Timespec): boolean {
  return a.sec === b.sec && a.nsec === b.nsec;
}

function sameName(a: BtrfsName | undefined, b: BtrfsName | undefined): boolean {
  return a !== undefined && b !== undefined && a.directory === b.directory && a.name.equals(b.name);
}
