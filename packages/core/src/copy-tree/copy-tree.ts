import {
  AT_FDCWD,
  type Bytes,
  close,
  type Dirent,
  fchmod,
  fchmodat,
  linkat,
  mkdirat,
  mknodat,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  openat,
  readdir,
  readlinkat,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type Stat,
  statx,
  symlinkat,
} from "@strata/linux";
import type { CallOptions } from "../driver.ts";
import { StrataError } from "../errors.ts";
import { FileLock } from "../file-lock.ts";
import { inTurns } from "../turns.ts";
import { copyAttributes, copyAttributesAt, isRoot } from "./attributes.ts";
import { closeRead, openToRead } from "./closed-source.ts";
import { ContentCopier } from "./copy-content.ts";

/**
 * Make `to`, which does not exist, a copy of the directory `from` on the same file system: types, contents with their
 * holes, modes, owners, mtimes in nanoseconds, xattrs and ACLs, devices, names that are one file. Blocks are shared where
 * the file system can (btrfs, xfs). Nobody may change `from` meanwhile.
 *
 * An ordinary user's copy lacks what only root may set. That user may have closed files and directories to himself: to
 * read these, their mode is changed for a moment, so that such copies of one tree are made one after the other.
 *
 * Cost: proportional to the tree; others get their turn every few milliseconds.
 *
 * @throws the system error; what was copied before it stays
 * @throws StrataError `Busy`, if something is mounted in `from`
 */
export async function copyTree(from: string, to: string, options: CallOptions = {}): Promise<void> {
  using _lock = isRoot() ? undefined : await FileLock.take(from, "exclusive", { create: false, ...options });
  await inTurns(new TreeCopy().copy(from, to), options);
}

/** A directory that is being copied, and its copy, both open. */
interface Level {
  readonly source: number;
  readonly copy: number;
  readonly stat: Stat;
  /** From the tree's root; the root's own is empty. */
  readonly path: Buffer;
  readonly entries: Iterator<Dirent>;
}

class TreeCopy {
  readonly #contents = new ContentCopier();
  /** Open directories from the root down. No recursion, since a tree may be deeper than the stack. */
  readonly #levels: Level[] = [];
  /** Where the first name of a file that has several was copied to, by inode. */
  readonly #links = new Map<bigint, Buffer>();
  /** Directories to be closed when the rest has been copied into them. */
  readonly #closed: { path: Buffer; mode: number }[] = [];

  *copy(from: string, to: string): Generator<void, void> {
    try {
      const root = this.#enter(AT_FDCWD, from, AT_FDCWD, to, Buffer.alloc(0));
      for (let level: Level | undefined = root; level !== undefined; level = this.#levels.at(-1)) {
        yield;
        const entry = level.entries.next();
        if (!entry.done) yield* this.#copyEntry(root, level, entry.value.name);
        else this.#leave(level);
      }
    } finally {
      for (const level of this.#levels) closeLevel(level);
    }
  }

  *#copyEntry(root: Level, level: Level, name: Buffer): Generator<void, void> {
    const { source, copy } = level;
    const stat = statx(source, name);
    const path = () => (level.path.length === 0 ? name : Buffer.concat([level.path, slash, name]));
    if (stat.mountRoot) {
      throw new StrataError(
        "Busy",
        `something is mounted at "${path()}" in the tree that is copied; unmount it first`,
      );
    }
    const type = stat.mode & S_IFMT;
    if (type === S_IFDIR) {
      this.#enter(source, name, copy, name, path());
      return;
    }
    if (stat.nlink > 1) {
      const first = this.#links.get(stat.ino);
      if (first !== undefined) {
        linkat(root.copy, first, copy, name);
        return;
      }
      this.#links.set(stat.ino, path());
    }
    if (type === S_IFREG) {
      yield* this.#copyFile(source, copy, name, stat);
      return;
    }
    if (type === S_IFLNK) symlinkat(readlinkat(source, name), copy, name);
    else mknodat(copy, name, stat.mode, stat.rdev);
    copyAttributesAt(source, copy, name, stat);
  }

  *#copyFile(sourceDir: number, copyDir: number, name: Buffer, stat: Stat): Generator<void, void> {
    const source = openToRead(sourceDir, name, O_NOFOLLOW, stat);
    try {
      // Until the attributes are set, an ordinary user must be able to write to it.
      const mode = (stat.mode & 0o777) | 0o600;
      const copy = openat(copyDir, name, O_WRONLY | O_CREAT | O_EXCL, mode);
      try {
        yield* this.#contents.copy(source, copy, stat);
        copyAttributes(source, copy, stat);
      } finally {
        close(copy);
      }
    } finally {
      closeRead(source, stat);
    }
  }

  #enter(sourceDir: number, sourceName: Bytes, copyDir: number, copyName: Bytes, path: Buffer): Level {
    const stat = statx(sourceDir, sourceName);
    const source = openToRead(sourceDir, sourceName, O_DIRECTORY | O_NOFOLLOW, stat);
    try {
      mkdirat(copyDir, copyName, 0o700);
      const copy = openat(copyDir, copyName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      const level = { source, copy, stat, path, entries: readdir(source).values() };
      this.#levels.push(level);
      return level;
    } catch (error) {
      closeRead(source, stat);
      throw error;
    }
  }

  #leave(level: Level): void {
    const { source, copy, stat, path } = level;
    copyAttributes(source, copy, { ...stat, mode: stat.mode | 0o700 });
    if ((stat.mode & 0o700) !== 0o700) this.#closed.push({ path, mode: stat.mode & 0o7777 });
    if (path.length === 0) {
      // From the innermost to the root, so that each can still be reached.
      for (const inside of this.#closed) {
        if (inside.path.length > 0) fchmodat(copy, inside.path, inside.mode);
        else fchmod(copy, inside.mode);
      }
    }
    this.#levels.pop();
    closeLevel(level);
  }
}

const slash = Buffer.from("/");

function closeLevel({ source, copy, stat }: Level): void {
  close(copy);
  closeRead(source, stat);
}
