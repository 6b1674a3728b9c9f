import { ftruncateSync, readSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import {
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  close,
  fchmodat,
  fchownat,
  getxattrat,
  linkat,
  listxattrat,
  mkdirat,
  mknodat,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
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
  seekData,
  seekHole,
  setxattrat,
  statx,
  symlinkat,
  utimensat,
} from "@strata/linux";

/** One entry that is copied: from a directory to another, both open, under its name. */
export interface Copied {
  readonly from: number;
  readonly to: number;
  readonly name: Buffer;
  readonly stat: Stat;
}

interface Level {
  readonly from: number;
  readonly to: number;
  readonly names: Iterator<Buffer>;
  /** The directory's own entry; the topmost has none, since it only holds the tree. */
  readonly entry?: Copied;
}

const buffer = Buffer.alloc(256 * 1024);

/** A copy of a whole tree, with all that a layer can hold. Broken drivers lose some of it. */
export class TreeCopy {
  readonly #levels: Level[] = [];
  /** The copies of files that have several names, open, by inode. */
  readonly #linked = new Map<bigint, number>();

  /** Copy the directory `from` to `to`, which has the same name elsewhere. Yields after each piece of work. */
  *copy(from: string, to: string): Generator<void, void> {
    const name = Buffer.from(basename(from));
    try {
      const holder = (path: string) => openat(AT_FDCWD, dirname(path), O_RDONLY | O_DIRECTORY);
      this.#levels.push({ from: holder(from), to: holder(to), names: [name].values() });
      for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
        yield;
        const next = level.names.next();
        if (next.done) this.#leave(level);
        else yield* this.entry(level.from, level.to, next.value);
      }
    } finally {
      for (const level of this.#levels) closeLevel(level);
      for (const fd of this.#linked.values()) close(fd);
    }
  }

  protected *entry(from: number, to: number, name: Buffer): Generator<void, void> {
    const stat = statx(from, name);
    const entry = { from, to, name, stat };
    const type = stat.mode & S_IFMT;
    if (type === S_IFDIR) {
      mkdirat(to, name, 0o700);
      const open = (directory: number) => openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      const source = open(from);
      this.#levels.push({ from: source, to: open(to), names: this.names(source).values(), entry });
      return;
    }
    if (this.link(entry)) return;
    if (type === S_IFREG) yield* this.content(entry);
    else if (type === S_IFLNK) symlinkat(readlinkat(from, name), to, name);
    else mknodat(to, name, stat.mode, stat.rdev);
    this.attributes(entry);
    if (stat.nlink > 1) this.#linked.set(stat.ino, openat(to, name, O_PATH | O_NOFOLLOW));
  }

  protected names(directory: number): Buffer[] {
    return readdir(directory).map(({ name }) => name);
  }

  /** @returns whether it is another name of a file that was copied already, and now is one */
  protected link({ to, name, stat }: Copied): boolean {
    const first = stat.nlink > 1 ? this.#linked.get(stat.ino) : undefined;
    if (first === undefined) return false;
    linkat(AT_FDCWD, `/proc/self/fd/${first}`, to, name, AT_SYMLINK_FOLLOW);
    return true;
  }

  protected *content({ from, to, name, stat: { size } }: Copied): Generator<void, void> {
    const source = openat(from, name, O_RDONLY | O_NOFOLLOW);
    const copy = openat(to, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    try {
      for (let at = seekData(source, 0); at !== undefined; at = seekData(source, at)) {
        const end = seekHole(source, at) ?? size;
        while (at < end) {
          // Not copy_file_range(2), which cannot copy from one tmpfs to another.
          const length = readSync(source, buffer, 0, Math.min(buffer.length, end - at), at);
          for (let written = 0; written < length; ) {
            written += writeSync(copy, buffer, written, length - written, at + written);
          }
          at += length;
          yield;
        }
      }
      ftruncateSync(copy, size);
    } finally {
      close(source);
      close(copy);
    }
  }

  protected attributes(entry: Copied): void {
    // In this order: a change of owner takes setuid bits and file capabilities away.
    fchownat(entry.to, entry.name, entry.stat.uid, entry.stat.gid);
    this.xattrs(entry);
    if ((entry.stat.mode & S_IFMT) !== S_IFLNK) this.mode(entry);
    this.times(entry);
  }

  protected xattrs({ from, to, name }: Copied): void {
    for (const attribute of listxattrat(from, name)) {
      const value = getxattrat(from, name, attribute);
      if (value !== undefined) setxattrat(to, name, attribute, value);
    }
  }

  protected mode({ to, name, stat }: Copied): void {
    fchmodat(to, name, stat.mode & 0o7777);
  }

  protected times({ to, name, stat }: Copied): void {
    utimensat(to, name, stat.mtime);
  }

  #leave(level: Level): void {
    this.#levels.pop();
    closeLevel(level);
    if (level.entry !== undefined) this.attributes(level.entry);
  }
}

function closeLevel({ from, to }: Level): void {
  close(from);
  close(to);
}
