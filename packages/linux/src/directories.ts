import { type Bytes, cstring } from "./bytes.ts";
import { fail } from "./errors.ts";
import * as native from "./syscalls.ts";

/** Make a directory; the process's umask applies. @see mkdir(2) */
export function mkdirat(dirfd: number, name: Bytes, mode: number): void {
  if (native.mkdirat(dirfd, cstring(name), mode) < 0) fail("mkdirat", name);
}

/** One entry of a directory. */
export interface Dirent {
  readonly name: Buffer;
  /** DT_* */
  readonly type: number;
  readonly ino: bigint;
}

const SEEK_SET = 0;

const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const view = new DataView(buffer.buffer);

/**
 * All entries of an open directory (not O_PATH) without `.` and `..`, in the file system's order, from the
 * directory's start wherever the descriptor stood.
 * @see getdents(2)
 */
export function readdir(fd: number): Dirent[] {
  if (native.lseek(fd, 0, SEEK_SET) < 0) fail("lseek");
  const entries: Dirent[] = [];
  for (;;) {
    const length = native.getdents64(native.number.getdents64, fd, buffer, buffer.length);
    if (length < 0) fail("getdents64");
    if (length === 0) return entries;
    collect(length, entries);
  }
}

// struct linux_dirent64 of getdents(2): u64 d_ino, s64 d_off, u16 d_reclen, u8 d_type, char d_name[] up to a NUL.
const reclenOffset = 16;
const typeOffset = 18;
const nameOffset = 19;
const dot = 0x2e;

function collect(length: number, entries: Dirent[]): void {
  for (let at = 0; at < length; at += view.getUint16(at + reclenOffset, true)) {
    const start = at + nameOffset;
    const end = buffer.indexOf(0, start);
    const dots =
      buffer[start] === dot && (end === start + 1 || (end === start + 2 && buffer[start + 1] === dot));
    if (dots) continue;
    const name = Buffer.from(buffer.subarray(start, end));
    entries.push({ name, type: view.getUint8(at + typeOffset), ino: view.getBigUint64(at, true) });
  }
}
