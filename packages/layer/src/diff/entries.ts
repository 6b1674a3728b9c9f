import { readdir, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, type Stat } from "@strata/linux";
import { isWhiteoutDevice } from "../lower-view.ts";

/** The file-type bits of a mode, S_IF*. */
export function fileType({ mode }: Stat): number {
  return mode & S_IFMT;
}

export function isDirectory(stat: Stat): boolean {
  return fileType(stat) === S_IFDIR;
}

export function isRegular(stat: Stat): boolean {
  return fileType(stat) === S_IFREG;
}

export function isSymlink(stat: Stat): boolean {
  return fileType(stat) === S_IFLNK;
}

/**
 * Whether a layer can hold it. It cannot hold a socket, which is nothing without the process that bound it, nor a
 * device 0/0, which means a deletion; both are taken as not there.
 */
export function isStorable(stat: Stat): boolean {
  return fileType(stat) !== S_IFSOCK && !isWhiteoutDevice(stat);
}

/** What names of one file have in common. */
export function inodeKey({ dev, ino }: Stat): string {
  return `${dev.major}:${dev.minor}:${ino}`;
}

/** The names in an open directory, sorted bytewise. */
export function sortedNames(fd: number): Buffer[] {
  return readdir(fd)
    .map((entry) => entry.name)
    .sort(Buffer.compare);
}

/** A name and in which of two directories it is. */
export interface PairedName {
  readonly name: Buffer;
  readonly inA: boolean;
  readonly inB: boolean;
}

/** All names of two sorted lists, sorted, each once. */
export function* pairNames(a: readonly Buffer[], b: readonly Buffer[]): Generator<PairedName> {
  let [atA, atB] = [0, 0];
  for (;;) {
    const [nameA, nameB] = [a[atA], b[atB]];
    if (nameA === undefined && nameB === undefined) return;
    const order = nameA === undefined ? 1 : nameB === undefined ? -1 : Buffer.compare(nameA, nameB);
    if (nameA !== undefined && order <= 0) {
      yield { name: nameA, inA: true, inB: order === 0 };
      atA++;
      if (order === 0) atB++;
    } else if (nameB !== undefined) {
      yield { name: nameB, inA: false, inB: true };
      atB++;
    }
  }
}

const slash = Buffer.from("/");

/** `name` in the directory `parent`, where an empty parent is the root. */
export function childPath(parent: Buffer, name: Buffer): Buffer {
  return parent.length === 0 ? name : Buffer.concat([parent, slash, name]);
}

/** A path for people, quoted, since it may hold anything. */
export function quoted(path: Buffer): string {
  return JSON.stringify(`/${path.toString()}`);
}
