import { readSync } from "node:fs";
import {
  readlinkat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
  type Stat,
} from "@strata/linux";
import { fileType, isRegular, isSymlink } from "./diff/entries.ts";
import type { OpenedEntry } from "./diff/opened-entry.ts";

/** What entries are compared by; beside these, each extended attribute by its own name. */
export type EntryField =
  | "type"
  | "mode"
  | "uid"
  | "gid"
  | "size"
  | "mtime"
  | "rdev"
  | "target"
  | "content"
  | "hardlinks";

/** One difference between two entries. */
export interface EntryDifference {
  /** An {@link EntryField} or the name of an extended attribute (`latin1`). */
  readonly field: string;
  /** In words, the first entry's value before the second's. */
  readonly what: string;
}

/**
 * How the metadata of two entries differ; nothing else is compared when even their types do. A generator, so that
 * whoever only asks whether they differ pays for the first difference.
 */
export function* statDifferences(a: Stat, b: Stat): Generator<EntryDifference> {
  if (fileType(a) !== fileType(b)) {
    yield { field: "type", what: `${typeName(a)}, ${typeName(b)}` };
    return;
  }
  if (a.mode !== b.mode) yield { field: "mode", what: `mode ${octal(a)}, ${octal(b)}` };
  if (a.uid !== b.uid) yield { field: "uid", what: `uid ${a.uid}, ${b.uid}` };
  if (a.gid !== b.gid) yield { field: "gid", what: `gid ${a.gid}, ${b.gid}` };
  // The size of a directory is the file system's business, that of a symlink is its target's.
  if (isRegular(a) && a.size !== b.size) yield { field: "size", what: `size ${a.size}, ${b.size} bytes` };
  if (a.mtime.sec !== b.mtime.sec || a.mtime.nsec !== b.mtime.nsec) {
    yield { field: "mtime", what: `mtime ${seconds(a)}, ${seconds(b)}` };
  }
  if (a.rdev.major !== b.rdev.major || a.rdev.minor !== b.rdev.minor) {
    yield { field: "rdev", what: `device ${a.rdev.major}:${a.rdev.minor}, ${b.rdev.major}:${b.rdev.minor}` };
  }
}

/** How the extended attributes and the symlink targets of two entries of one type differ. */
export function* openedDifferences(a: OpenedEntry, b: OpenedEntry): Generator<EntryDifference> {
  if (isSymlink(a.stat)) {
    const [targetA, targetB] = [readlinkat(a.fd, ""), readlinkat(b.fd, "")];
    if (!targetA.equals(targetB)) {
      yield { field: "target", what: `link target ${shown(targetA)}, ${shown(targetB)}` };
    }
  }
  const [xattrsA, xattrsB] = [a.xattrs(), b.xattrs()];
  for (const name of [...new Set([...xattrsA.keys(), ...xattrsB.keys()])].sort()) {
    const [valueA, valueB] = [xattrsA.get(name), xattrsB.get(name)];
    if (valueA === undefined || valueB === undefined || !valueA.equals(valueB)) {
      yield { field: name, what: `xattr ${name} ${shown(valueA)}, ${shown(valueB)}` };
    }
  }
}

const chunkSize = 256 * 1024;

/** Compares the contents of files, with two buffers of its own; one comparison at a time. */
export class ContentComparer {
  readonly #chunkA = Buffer.allocUnsafeSlow(chunkSize);
  readonly #chunkB = Buffer.allocUnsafeSlow(chunkSize);

  /**
   * The offset of the first byte that differs between two files of `size` bytes, or undefined if none does. Cost:
   * reads both up to there, and yields after each piece.
   */
  *firstDifference(fdA: number, fdB: number, size: number): Generator<undefined, number | undefined> {
    for (let offset = 0; offset < size; offset += chunkSize) {
      const length = Math.min(chunkSize, size - offset);
      const a = read(fdA, this.#chunkA, offset, length);
      const b = read(fdB, this.#chunkB, offset, length);
      if (!a.equals(b)) return offset + commonLength(a, b);
      yield;
    }
    return undefined;
  }
}

/** `length` bytes at `offset`, or fewer if the file has become shorter. */
function read(fd: number, buffer: Buffer, offset: number, length: number): Buffer {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, buffer, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}

function commonLength(a: Buffer, b: Buffer): number {
  const index = a.findIndex((byte, at) => byte !== b[at]);
  return index < 0 ? a.length : index;
}

const typeNames: ReadonlyMap<number, string> = new Map([
  [S_IFREG, "file"],
  [S_IFDIR, "directory"],
  [S_IFLNK, "symlink"],
  [S_IFIFO, "fifo"],
  [S_IFCHR, "character device"],
  [S_IFBLK, "block device"],
  [S_IFSOCK, "socket"],
]);

function typeName(stat: Stat): string {
  return typeNames.get(fileType(stat)) ?? `type ${fileType(stat).toString(8)}`;
}

function octal({ mode }: Stat): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function seconds({ mtime }: Stat): string {
  return `${mtime.sec}.${`${mtime.nsec}`.padStart(9, "0")}`;
}

/** Printable text as it is, all else in hexadecimal. */
function shown(value: Buffer | undefined): string {
  if (value === undefined) return "none";
  const text = value.toString("latin1");
  return /^[\x20-\x7e]*$/.test(text) ? JSON.stringify(text) : `0x${value.toString("hex")}`;
}
