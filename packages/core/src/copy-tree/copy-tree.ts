import {
  AT_FDCWD,
  type Bytes,
  close,
  type Dirent,
  DT_DIR,
  DT_UNKNOWN,
  fchmod,
  fchmodat,
  linkat,
  mkdirat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readdir,
  S_IFDIR,
  S_IFMT,
  type Stat,
  statx,
} from "@strata/linux";
import type { CallOptions } from "../driver.ts";
import { StrataError } from "../errors.ts";
import { FileLock } from "../file-lock.ts";
import { inTurns } from "../turns.ts";
import { copyAttributes, isRoot } from "./attributes.ts";
import { closeRead, openToRead } from "./closed-source.ts";
import { type DirectoryPair, EntryCopier } from "./copy-entry.ts";
import { CopyHelpers } from "./helpers.ts";

/** See the function of the same name in `on-demand.ts`. */
export async function copyTree(from: string, to: string, options: CallOptions = {}): Promise<void> {
  using _lock = isRoot() ? undefined : await FileLock.take(from, "exclusive", { create: false, ...options });
  await new TreeCopy().copy(from, to, options);
}

/** A directory that is being copied, and its copy, both open. */
interface Level extends DirectoryPair {
  readonly stat: Stat;
  /** From the tree's root; the root's own is empty. */
  readonly path: Buffer;
  /** What is still to be copied. */
  readonly directories: Buffer[];
  readonly others: Buffer[];
  /** How many parts of its entries helpers have. */
  given: number;
}

/** So many entries are copied before it is worth while to start helpers. */
const enoughForHelpers = 1000;

/** Open directories that wait for helpers only; each holds two descriptors. */
const mostWaiting = 256;

/** Entries of one directory that are given to a helper at a time. */
const partNames = 128;

class TreeCopy {
  readonly #entries = new EntryCopier();
  readonly #helpers = new CopyHelpers<Level>();
  /** The directories from the root to where the walk is. No recursion, since a tree may be deeper than the stack. */
  readonly #levels: Level[] = [];
  /** Directories that are done but for what helpers have. */
  readonly #waiting = new Set<Level>();
  /** All directories that are open. */
  readonly #open = new Set<Level>();
  /** Where the first name of a file that has several was copied to, by inode. */
  readonly #links = new Map<bigint, Buffer>();
  /** Directories to be closed to their owner when the rest has been copied into them. */
  readonly #closed: { path: Buffer; mode: number }[] = [];
  #copied = 0;

  async copy(from: string, to: string, options: CallOptions): Promise<void> {
    const interrupt = () => this.#helpers.interrupt();
    options.signal?.addEventListener("abort", interrupt, { once: true });
    try {
      const root = this.#enter(AT_FDCWD, from, AT_FDCWD, to, Buffer.alloc(0));
      await inTurns(this.#walk(root), options);
      while (this.#waiting.size > 0) {
        await this.#helpers.returned();
        await inTurns(this.#takeReturned(root), options);
      }
      this.#closeDirectories(root);
    } finally {
      options.signal?.removeEventListener("abort", interrupt);
      await this.#helpers.stop();
      for (const level of this.#open) closeLevel(level);
    }
  }

  *#walk(root: Level): Generator<void, void> {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      yield;
      if (this.#helpers.hasReturned) yield* this.#takeReturned(root);
      if (level.others.length > 0) {
        yield* this.#copyOthers(root, level);
        continue;
      }
      const name = level.directories.pop();
      if (name === undefined) this.#leave(level);
      else this.#enter(level.source, name, level.copy, name, pathIn(level, name));
    }
  }

  /** Give some entries to a helper, or copy one. */
  *#copyOthers(root: Level, level: Level): Generator<void, void> {
    if (this.#helpers.wanting && this.#waiting.size < mostWaiting) {
      const names = level.others.splice(-partNames);
      level.given += 1;
      this.#helpers.give({ directory: level, names });
      return;
    }
    const name = level.others.pop();
    if (name !== undefined) yield* this.#copyEntry(root, level, name);
    if (++this.#copied === enoughForHelpers) this.#helpers.start();
  }

  *#takeReturned(root: Level): Generator<void, void> {
    for (const { directory, names } of this.#helpers.takeReturned()) {
      for (const name of names) yield* this.#copyEntry(root, directory, name);
      directory.given -= 1;
      if (directory.given === 0 && this.#waiting.delete(directory)) this.#finish(directory);
    }
  }

  *#copyEntry(root: Level, level: Level, name: Buffer): Generator<void, void> {
    const stat = statx(level.source, name);
    if (stat.mountRoot) throw mountedError(pathIn(level, name));
    if (stat.nlink > 1) {
      const first = this.#links.get(stat.ino);
      if (first !== undefined) {
        linkat(root.copy, first, level.copy, name);
        return;
      }
      this.#links.set(stat.ino, pathIn(level, name));
    }
    yield* this.#entries.copy(level, name, stat);
  }

  #enter(sourceDir: number, sourceName: Bytes, copyDir: number, copyName: Bytes, path: Buffer): Level {
    const stat = statx(sourceDir, sourceName);
    if (stat.mountRoot && path.length > 0) throw mountedError(path);
    const pair = openPair(sourceDir, sourceName, copyDir, copyName, stat);
    const level: Level = { ...pair, stat, path, directories: [], others: [], given: 0 };
    this.#open.add(level);
    this.#levels.push(level);
    // From the last to the first, as they are taken.
    for (const entry of readdir(pair.source).reverse()) {
      (isDirectory(pair.source, entry) ? level.directories : level.others).push(entry.name);
    }
    return level;
  }

  #leave(level: Level): void {
    this.#levels.pop();
    if (level.given > 0) this.#waiting.add(level);
    else this.#finish(level);
  }

  /** All that is in a directory has been copied. */
  #finish(level: Level): void {
    const { source, copy, stat, path } = level;
    copyAttributes(source, copy, { ...stat, mode: stat.mode | 0o700 });
    if ((stat.mode & 0o700) !== 0o700) this.#closed.push({ path, mode: stat.mode & 0o7777 });
    if (path.length === 0) return; // All paths start from the root.
    this.#open.delete(level);
    closeLevel(level);
  }

  /** From the innermost to the root, so that each can still be reached. */
  #closeDirectories({ copy }: Level): void {
    for (const { path, mode } of this.#closed.sort((a, b) => b.path.length - a.path.length)) {
      if (path.length > 0) fchmodat(copy, path, mode);
      else fchmod(copy, mode);
    }
  }
}

const slash = Buffer.from("/");

function pathIn({ path }: Level, name: Buffer): Buffer {
  return path.length === 0 ? name : Buffer.concat([path, slash, name]);
}

/** Make a directory, and open it and the one that it is to be a copy of. */
function openPair(
  sourceDir: number,
  sourceName: Bytes,
  copyDir: number,
  copyName: Bytes,
  stat: Stat,
): DirectoryPair {
  const source = openToRead(sourceDir, sourceName, O_DIRECTORY | O_NOFOLLOW, stat);
  try {
    mkdirat(copyDir, copyName, 0o700);
    return { source, copy: openat(copyDir, copyName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) };
  } catch (error) {
    closeRead(source, stat);
    throw error;
  }
}

function isDirectory(directory: number, { name, type }: Dirent): boolean {
  if (type !== DT_UNKNOWN) return type === DT_DIR;
  return (statx(directory, name).mode & S_IFMT) === S_IFDIR;
}

function mountedError(path: Buffer): StrataError {
  const message = `something is mounted at "${path}" in the tree that is copied; unmount it first`;
  return new StrataError("Busy", message);
}

function closeLevel({ source, copy, stat }: Level): void {
  close(copy);
  closeRead(source, stat);
}
