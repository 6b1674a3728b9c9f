import { closeSync, openSync, readSync } from "node:fs";
import { S_IFDIR, S_IFMT, type Stat } from "@strata/linux";

/*
 * The record of a tree is a stream in the order of a walk: the names of a directory sorted bytewise, right behind each
 * directory its own names, and an empty name at the end of each.
 *
 *     u8 length of name    name    u8 1 for a directory    u64 inode    i64 ctime, seconds    u32 and nanoseconds
 */
const restBytes = 1 + 8 + 8 + 4;

/** One name of a recorded tree. */
export interface RecordedEntry {
  readonly name: Buffer;
  readonly directory: boolean;
  readonly ino: bigint;
  readonly ctime: { readonly sec: number; readonly nsec: number };
}

/** No inode has this number: a name that is recorded with it counts as touched. */
const noInode = 0n;

/** @param settledBefore - milliseconds since 1970; what changed later is recorded as touched */
export function encodeEntry(name: Buffer, { mode, ino, ctime }: Stat, settledBefore: number): Buffer {
  const settled = ctime.sec * 1000 + ctime.nsec / 1e6 < settledBefore;
  const bytes = Buffer.allocUnsafe(1 + name.length + restBytes);
  let at = bytes.writeUInt8(name.length);
  at += name.copy(bytes, at);
  at = bytes.writeUInt8((mode & S_IFMT) === S_IFDIR ? 1 : 0, at);
  at = bytes.writeBigUInt64LE(settled ? ino : noInode, at);
  at = bytes.writeBigInt64LE(BigInt(ctime.sec), at);
  bytes.writeUInt32LE(ctime.nsec, at);
  return bytes;
}

/** What stands behind the last name of a directory. */
export const endOfDirectory = Buffer.from([0]);

/** Whether this is the same file, with nothing changed since. */
export function isAsRecorded({ ino, ctime }: RecordedEntry, stat: Stat): boolean {
  return stat.ino === ino && stat.ctime.sec === ctime.sec && stat.ctime.nsec === ctime.nsec;
}

const bufferBytes = 64 * 1024;

/** Reads a record from its beginning. After the last whole entry of one that was cut short, all is at its end. */
export class RecordReader implements Disposable {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #start = 0;
  #end = 0;
  #peeked: RecordedEntry | undefined;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  /** The next name of the directory that the reader is in, or undefined at its end. */
  peek(): RecordedEntry | undefined {
    this.#peeked ??= this.#read();
    return this.#peeked;
  }

  /** Go past the name that {@link peek} gave; of a directory, to its first name. */
  next(): void {
    this.#peeked = undefined;
  }

  /** Go past the end of the directory that the reader is in, where {@link peek} gave undefined. */
  endDirectory(): void {
    if (this.#has(1)) this.#start += 1;
  }

  /** Leave the directory that the reader has just entered. */
  skipDirectory(): void {
    for (let depth = 1; depth > 0; ) {
      const entry = this.peek();
      if (entry === undefined) {
        this.endDirectory();
        depth -= 1;
      } else {
        this.next();
        if (entry.directory) depth += 1;
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #read(): RecordedEntry | undefined {
    if (!this.#has(1)) return undefined;
    const length = this.#buffer[this.#start] ?? 0;
    if (length === 0) return undefined;
    if (!this.#has(1 + length + restBytes)) {
      this.#start = this.#end; // Cut short in the middle of an entry.
      return undefined;
    }
    let at = this.#start + 1;
    const name = Buffer.from(this.#buffer.subarray(at, at + length));
    at += length;
    const directory = this.#buffer.readUInt8(at) === 1;
    const ino = this.#buffer.readBigUInt64LE(at + 1);
    const sec = Number(this.#buffer.readBigInt64LE(at + 9));
    const nsec = this.#buffer.readUInt32LE(at + 17);
    this.#start = at + restBytes;
    return { name, directory, ino, ctime: { sec, nsec } };
  }

  /** Whether there are `count` bytes more; if so, they are in the buffer. */
  #has(count: number): boolean {
    if (this.#end - this.#start >= count) return true;
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    while (this.#end < count) {
      const read = readSync(this.#fd, this.#buffer, this.#end, bufferBytes - this.#end, null);
      if (read === 0) return false;
      this.#end += read;
    }
    return true;
  }
}
