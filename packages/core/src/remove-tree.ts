import { basename, dirname, resolve } from "node:path";
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  BTRFS_ROOT_DIRECTORY,
  btrfsSetSubvolReadonly,
  close,
  fchmodat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
  openat2,
  RESOLVE_NO_XDEV,
  readdir,
  renameat2,
  S_IFDIR,
  S_IFMT,
  type Stat,
  statxOrUndefined,
  unlinkat,
} from "@strata/linux";
import type { CallOptions, Usage } from "./driver.ts";
import { errnoCode, StrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { randomName } from "./ids.ts";
import { inTurns } from "./turns.ts";

/** See the function of the same name in `on-demand.ts`. */
export async function removeTree(path: string, options: CallOptions = {}): Promise<Usage> {
  const absolute = resolve(path);
  const parent = openParent(absolute);
  if (parent === undefined) return { bytes: 0, inodes: 0 };
  const removal = new Removal(absolute);
  try {
    await inTurns(removal.remove(parent, Buffer.from(basename(absolute)), 0), options);
  } finally {
    close(parent);
  }
  return { bytes: removal.bytes, inodes: removal.inodes };
}

/** Directories below this are moved up to the top first: each level above holds a descriptor. */
const deepest = 64;

class Removal {
  bytes = 0;
  inodes = 0;
  readonly #path: string;
  #top: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Remove `name` from the directory `parent`. */
  *remove(parent: number, name: Buffer, depth: number): Generator<void, void> {
    yield;
    try {
      const stat = statxOrUndefined(parent, name);
      if (stat === undefined) return;
      if (stat.mountRoot) {
        throw new StrataError("Busy", `${this.#path}: "${name}" in it is a mount point; unmount it first`);
      }
      const isDirectory = (stat.mode & S_IFMT) === S_IFDIR;
      if (isDirectory) {
        // Its owner may have closed it to himself. Root is stopped by no mode.
        if ((stat.mode & 0o700) !== 0o700) fchmodat(parent, name, 0o700);
        if (depth === deepest && this.#top !== undefined) {
          renameat2(parent, name, this.#top, randomName());
          return;
        }
        yield* this.#empty(parent, name, stat, depth);
      }
      unlinkat(parent, name, isDirectory ? AT_REMOVEDIR : 0);
      this.#count(stat, isDirectory);
      failpoint("tree.entry-removed");
    } catch (error) {
      if (errnoCode(error) !== "ENOENT") throw error; // Gone meanwhile.
    }
  }

  *#empty(parent: number, name: Buffer, { ino }: Stat, depth: number): Generator<void, void> {
    const fd = openat2(parent, name, {
      flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
      resolve: RESOLVE_NO_XDEV,
    });
    const outerTop = this.#top;
    // Nothing can be moved out of a subvolume.
    if (depth === 0 || ino === BTRFS_ROOT_DIRECTORY) this.#top = fd;
    try {
      if (ino === BTRFS_ROOT_DIRECTORY) makeWritable(fd);
      for (let entries = readdir(fd); entries.length > 0; entries = readdir(fd)) {
        for (const entry of entries) yield* this.remove(fd, entry.name, depth + 1);
      }
    } finally {
      this.#top = outerTop;
      close(fd);
    }
  }

  #count(stat: Stat, isDirectory: boolean): void {
    if (!isDirectory && stat.nlink > 1) return;
    this.bytes += stat.blocks * 512;
    this.inodes += 1;
  }
}

/** A subvolume of btrfs is a directory to all calls here, and may be a read-only one. */
function makeWritable(fd: number): void {
  try {
    btrfsSetSubvolReadonly(fd, false);
  } catch (error) {
    // Another file system has that inode as well.
    if (errnoCode(error) !== "ENOTTY") throw error;
  }
}

function openParent(path: string): number | undefined {
  try {
    return openat(AT_FDCWD, dirname(path), O_PATH | O_DIRECTORY);
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
