import type { CallOptions, StorageDriver, Usage } from "./driver.ts";
import type { DriverMechanism, DriverOptions } from "./mechanism.ts";

/*
 * What works on trees and snapshots is loaded when it is first called: a command that lists names starts without it.
 */

/**
 * Make a storage driver of a mechanism: this is what a driver's factory returns.
 *
 * ```ts
 * export function vfs(options: VfsOptions): Promise<StorageDriver> {
 *   return createDriver(mechanism, options);
 * }
 * ```
 * @throws TypeError, if the options are not what their types say
 * @throws StrataError `Unsupported`, if the mechanism cannot work on this host or under this root
 * @throws StrataError `FailedPrecondition`, if the root belongs to another driver
 */
export async function createDriver(
  mechanism: DriverMechanism,
  options: DriverOptions,
): Promise<StorageDriver> {
  // All that a driver may need: a process that has no descriptors left can load nothing any more.
  const [{ createDriver }] = await Promise.all([
    import("./create-driver.ts"),
    import("./copy-tree/copy-tree.ts"),
    import("./remove-tree.ts"),
    import("./tree-usage.ts"),
  ]);
  return await createDriver(mechanism, options);
}

/**
 * Make `to`, which does not exist, a copy of the directory `from` on the same file system: types, contents with their
 * holes, modes, owners, mtimes in nanoseconds, xattrs and ACLs, devices, names that are one file. Blocks are shared where
 * the file system can (btrfs, xfs). Nobody may change `from` meanwhile.
 *
 * An ordinary user's copy lacks what only root may set. That user may have closed files and directories to himself: to
 * read these, their mode is changed for a moment, so that such copies of one tree are made one after the other.
 *
 * Cost: proportional to the tree. Others get their turn every few milliseconds; beyond a thousand entries, further
 * threads take part, all copies together one a CPU up to four.
 *
 * @throws the system error; what was copied before it stays
 * @throws StrataError `Busy`, if something is mounted in `from`
 */
export async function copyTree(from: string, to: string, options: CallOptions = {}): Promise<void> {
  const { copyTree } = await import("./copy-tree/copy-tree.ts");
  await copyTree(from, to, options);
}

/**
 * Remove a file or a whole tree, whatever is in it: closed directories (as far as they are the caller's), names that
 * are no UTF-8, any depth, read-only subvolumes of btrfs. Symlinks are removed, never followed, and a mount is never
 * entered. What is gone already, or goes meanwhile, is fine. Cost: some system calls for each inode; the event loop
 * gets its turn in between.
 * @returns what was given back: a file with other names elsewhere does not count
 * @throws StrataError `Busy`, if something is mounted inside; what was removed before it was met stays removed
 * @throws the system error
 */
export async function removeTree(path: string, options: CallOptions = {}): Promise<Usage> {
  const { removeTree } = await import("./remove-tree.ts");
  return await removeTree(path, options);
}

/**
 * The disk space of a whole tree, as du(1) tells it: allocated blocks, each inode once. Mounts inside are not entered,
 * nor are directories that are closed to the caller. Cost: one system call or two for each inode.
 * @throws the system error, if `path` is not a directory that can be read
 */
export async function treeUsage(path: string, options: CallOptions = {}): Promise<Usage> {
  const { treeUsage } = await import("./tree-usage.ts");
  return await treeUsage(path, options);
}
