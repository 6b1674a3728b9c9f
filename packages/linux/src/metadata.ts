import { type Bytes, cstring } from "./bytes.ts";
import { AT_SYMLINK_NOFOLLOW, O_NOFOLLOW, O_PATH } from "./constants.ts";
import { fail } from "./errors.ts";
import { close, openat } from "./files.ts";
import { descriptorPath, failDescriptor, refusedDescriptor } from "./procfs.ts";
import type { Timespec } from "./stat.ts";
import * as native from "./syscalls.ts";

/** Set the owner of an open file. Clears setuid, setgid and file capabilities. @see chown(2) */
export function fchown(fd: number, uid: number, gid: number): void {
  if (native.fchown(fd, uid, gid) < 0) fail("fchown");
}

/**
 * Set the owner of `name` in `dirfd`.
 * @param flags - AT_EMPTY_PATH with `name` "" for `dirfd` itself, O_PATH too. @defaultValue AT_SYMLINK_NOFOLLOW
 * @see chown(2)
 */
export function fchownat(
  dirfd: number,
  name: Bytes,
  uid: number,
  gid: number,
  flags = AT_SYMLINK_NOFOLLOW,
): void {
  if (native.fchownat(dirfd, cstring(name), uid, gid, flags) < 0) fail("fchownat", name);
}

/** Set the permissions (07777) of an open file, O_PATH too. @see chmod(2) */
export function fchmod(fd: number, mode: number): void {
  if (native.fchmod(fd, mode) === 0) return;
  if (!refusedDescriptor() || native.chmod(descriptorPath(fd), mode) < 0) failDescriptor("fchmod");
}

/**
 * Set the permissions (07777) of `name` in `dirfd`. A last symlink is never followed.
 * @throws SystemError EOPNOTSUPP (named ENOTSUP), if it is a symlink: Linux keeps no permissions for these
 */
export function fchmodat(dirfd: number, name: Bytes, mode: number): void {
  // fchmodat2(2), which could do it in one call, came with Linux 6.6.
  const fd = openat(dirfd, name, O_PATH | O_NOFOLLOW);
  try {
    if (native.chmod(descriptorPath(fd), mode) < 0) fail("fchmodat", name);
  } finally {
    close(fd);
  }
}

// struct timespec[2] of utimensat(2): access and modification time, each s64 tv_sec and s64 tv_nsec. In 32-bit
// halves, since a BigInt would be allocated for every file otherwise.
const times = new Int32Array(8);
const timesBytes = new Uint8Array(times.buffer);

/** Set the modification time of an open file (not O_PATH), and its access time to the same. @see utimensat(2) */
export function futimens(fd: number, mtime: Timespec): void {
  if (native.futimens(fd, fillTimes(mtime)) < 0) fail("futimens");
}

/**
 * Set the modification time of `name` in `dirfd`, and its access time to the same.
 * @param flags - AT_EMPTY_PATH with `name` "" for `dirfd` itself, O_PATH too. @defaultValue AT_SYMLINK_NOFOLLOW
 * @see utimensat(2)
 */
export function utimensat(dirfd: number, name: Bytes, mtime: Timespec, flags = AT_SYMLINK_NOFOLLOW): void {
  if (native.utimensat(dirfd, cstring(name), fillTimes(mtime), flags) < 0) fail("utimensat", name);
}

function fillTimes({ sec, nsec }: Timespec): Uint8Array {
  // An element of a typed array takes its value modulo 2^32, which is what the low half of a negative number is.
  times[0] = times[4] = sec;
  times[1] = times[5] = Math.floor(sec / 0x1_0000_0000);
  times[2] = times[6] = nsec;
  return timesBytes;
}

/** Set the umask of the whole process, its other threads included. @returns the one before. @see umask(2) */
export function umask(mask: number): number {
  return native.umask(mask);
}
