import { type Bytes, cstring } from "./bytes.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from "./constants.ts";
import { ENOENT, ENOTDIR } from "./errno.ts";
import { fail, SystemError } from "./errors.ts";
import * as native from "./syscalls.ts";

/** A moment, in seconds and nanoseconds since 1970; `nsec` is 0 to 999,999,999, also before 1970. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

/** A device number. */
export interface Device {
  readonly major: number;
  readonly minor: number;
}

export interface Stat {
  /** Type (S_IF*) and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** In bytes. */
  readonly size: number;
  /** Allocated, in units of 512 bytes. */
  readonly blocks: number;
  readonly ino: bigint;
  /** The device the file is on. */
  readonly dev: Device;
  /** The device that the file is, 0/0 for other files. */
  readonly rdev: Device;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
  /** When the file was made, where the file system keeps it. */
  readonly btime: Timespec | undefined;
  /** Whether it is the root of a mount. */
  readonly mountRoot: boolean;
}

const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;
const STATX_ATTR_MOUNT_ROOT = 0x2000;

// struct statx of statx(2), 256 bytes; the offsets are those of include/uapi/linux/stat.h.
const buffer = new Uint8Array(256);
const view = new DataView(buffer.buffer);

/**
 * Metadata of `name` in `dirfd`; of `dirfd` itself with `name` "" and flags {@link AT_EMPTY_PATH}.
 * @param flags - @defaultValue AT_SYMLINK_NOFOLLOW
 * @see statx(2)
 */
export function statx(dirfd: number, name: Bytes, flags = AT_SYMLINK_NOFOLLOW): Stat {
  return fillStat(dirfd, name, flags) < 0 ? fail("statx", name) : readStat();
}

/** As {@link statx}, without following a last symlink; undefined if there is no such file or directory. */
export function statxOrUndefined(dirfd: number, name: Bytes): Stat | undefined {
  if (fillStat(dirfd, name, AT_SYMLINK_NOFOLLOW) >= 0) return readStat();
  const errno = native.lastErrno();
  if (errno === ENOENT || errno === ENOTDIR) return undefined;
  throw new SystemError(errno, "statx", name);
}

/** Metadata of an open file (O_PATH too). */
export function fstatx(fd: number): Stat {
  return statx(fd, "", AT_EMPTY_PATH);
}

function fillStat(dirfd: number, name: Bytes, flags: number): number {
  const mask = STATX_BASIC_STATS | STATX_BTIME;
  return native.statx(native.number.statx, dirfd, cstring(name), flags, mask, buffer);
}

function readStat(): Stat {
  const mask = view.getUint32(0x00, true);
  return {
    mode: view.getUint16(0x1c, true),
    uid: view.getUint32(0x14, true),
    gid: view.getUint32(0x18, true),
    nlink: view.getUint32(0x10, true),
    size: readUint64(0x28),
    blocks: readUint64(0x30),
    ino: view.getBigUint64(0x20, true),
    dev: { major: view.getUint32(0x88, true), minor: view.getUint32(0x8c, true) },
    rdev: { major: view.getUint32(0x80, true), minor: view.getUint32(0x84, true) },
    atime: readTimespec(0x40),
    mtime: readTimespec(0x70),
    ctime: readTimespec(0x60),
    btime: (mask & STATX_BTIME) === 0 ? undefined : readTimespec(0x50),
    mountRoot: (view.getUint32(0x08, true) & STATX_ATTR_MOUNT_ROOT) !== 0,
  };
}

function readUint64(offset: number): number {
  return view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
}

// struct statx_timestamp: s64 tv_sec, u32 tv_nsec, s32 padding.
function readTimespec(offset: number): Timespec {
  const sec = view.getInt32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
  return { sec, nsec: view.getUint32(offset + 8, true) };
}
