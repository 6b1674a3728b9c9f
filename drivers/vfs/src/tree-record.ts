import { closeSync, openSync, writeSync } from "node:fs";
import {
  AT_FDCWD,
  type Bytes,
  close,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readdir,
  S_IFDIR,
  S_IFMT,
  type Stat,
  statxOrUndefined,
} from "@strata/linux";
import { encodeEntry, endOfDirectory, isAsRecorded, RecordReader } from "./record-format.ts";

/*
 * What a tree was when it had just been copied: of each name the inode and its ctime, which the kernel sets on every
 * change of content, metadata or name and which nobody can set back. A path that still has both was not touched.
 * The ctimes are compared for being the same, never for being earlier: the clock may be set meanwhile.
 */

/**
 * The kernel takes ctimes from a clock that ticks every 1 to 10 ms. What was made this shortly before the record could
 * change within the same tick and keep its ctime, so it is recorded as something that is touched in any case.
 */
const tickMs = 20;

const pieceBytes = 64 * 1024;

/** Write the record of the tree at `tree` to the new file `path`. Cost: a statx(2) a name. */
export function* recordTree(tree: string, path: string): Generator<void, void> {
  const output = openSync(path, "wx", 0o600);
  const settledBefore = Date.now() - tickMs;
  const levels: Level[] = [];
  let pieces: Buffer[] = [];
  let length = 0;
  const put = (piece: Buffer): void => {
    pieces.push(piece);
    length += piece.length;
    if (length < pieceBytes) return;
    writeSync(output, Buffer.concat(pieces));
    pieces = [];
    length = 0;
  };
  try {
    levels.push(enter(AT_FDCWD, tree, Buffer.alloc(0), true));
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      yield;
      const name = level.names[level.next++];
      if (name === undefined) {
        put(endOfDirectory);
        close(level.fd);
        levels.pop();
        continue;
      }
      const stat = statxOrUndefined(level.fd, name);
      if (stat === undefined) continue;
      put(encodeEntry(name, stat, settledBefore));
      if (isDirectory(stat)) levels.push(enter(level.fd, name, Buffer.alloc(0), true));
    }
    writeSync(output, Buffer.concat(pieces));
  } finally {
    for (const { fd } of levels) close(fd);
    closeSync(output);
  }
}

/**
 * The paths that are not as the record at `path` says, that it does not have, or that the tree has no more. What is
 * missing in a record that a crash cut short counts as touched. Yields undefined where nothing was found, so that the
 * caller can give others a turn.
 *
 * Cost: one walk of the tree, a statx(2) a name.
 */
export function* touchedSince(path: string, tree: string): Generator<Buffer | undefined, void> {
  using record = new RecordReader(path);
  const levels: Level[] = [];
  try {
    levels.push(enter(AT_FDCWD, tree, Buffer.alloc(0), true));
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      yield undefined;
      const listed = level.names[level.next];
      const recorded = level.recorded ? record.peek() : undefined;
      const name = first(listed, recorded?.name);
      if (name === undefined) {
        if (level.recorded) record.endDirectory();
        close(level.fd);
        levels.pop();
        continue;
      }
      const before = recorded?.name.equals(name) ? recorded : undefined;
      const stat = listed?.equals(name) ? statxOrUndefined(level.fd, name) : undefined;
      if (listed?.equals(name)) level.next++;
      if (before !== undefined) record.next();

      const childPath = level.path.length === 0 ? name : Buffer.concat([level.path, slash, name]);
      if (before === undefined || stat === undefined || !isAsRecorded(before, stat)) yield childPath;
      if (stat !== undefined && isDirectory(stat)) {
        levels.push(enter(level.fd, name, childPath, before?.directory === true));
      } else if (before?.directory) {
        record.skipDirectory();
      }
    }
  } finally {
    for (const { fd } of levels) close(fd);
  }
}

/** A directory on the way, open. */
interface Level {
  readonly fd: number;
  /** From the tree's root. */
  readonly path: Buffer;
  /** Sorted bytewise. */
  readonly names: readonly Buffer[];
  /** The first of them that was not visited. */
  next: number;
  /** Whether the record goes on with the names of this directory. */
  readonly recorded: boolean;
}

const slash = Buffer.from("/");

function enter(dirfd: number, name: Bytes, path: Buffer, recorded: boolean): Level {
  const fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const names = readdir(fd).map((entry) => entry.name);
    return { fd, path, names: names.sort(Buffer.compare), next: 0, recorded };
  } catch (error) {
    close(fd);
    throw error;
  }
}

function first(a: Buffer | undefined, b: Buffer | undefined): Buffer | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.compare(b) <= 0 ? a : b;
}

function isDirectory({ mode }: Stat): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}
