import { type Bytes, cstring, secondCstring } from "./bytes.ts";
import { O_CLOEXEC } from "./constants.ts";
import { EAGAIN, EINVAL } from "./errno.ts";
import { fail, SystemError } from "./errors.ts";
import type { Device } from "./stat.ts";
import * as native from "./syscalls.ts";

/**
 * Open `name` in the directory `dirfd` (or {@link AT_FDCWD}). O_CLOEXEC is always added: no descriptor leaks into a
 * child process.
 * @returns a descriptor, for {@link close} or Node's `fs` functions
 * @see openat(2)
 */
export function openat(dirfd: number, name: Bytes, flags: number, mode = 0): number {
  const fd = native.openat(dirfd, cstring(name), flags | O_CLOEXEC, mode);
  return fd < 0 ? fail("openat", name) : fd;
}

export interface OpenHow {
  readonly flags: number;
  /** Permissions of a file that is made; must be 0 without O_CREAT or O_TMPFILE. @defaultValue 0 */
  readonly mode?: number;
  /** RESOLVE_* flags: how the kernel confines the path. */
  readonly resolve: number;
}

// struct open_how of openat2(2): u64 flags, u64 mode, u64 resolve. Only the low halves are ever set.
const how = new Uint32Array(6);
const howBytes = new Uint8Array(how.buffer);

// Enough for any number of well-meant renames; who renames on and on at full speed attacks, and wins an EAGAIN.
const openat2Tries = 128;

/**
 * Open `path` below `dirfd` and let the kernel see to it that the path stays in bounds.
 *
 * While other processes rename directories, the kernel cannot always tell whether `..` stays inside, and asks to
 * try again; that is done here, some times.
 * @see openat2(2)
 */
export function openat2(dirfd: number, path: Bytes, { flags, mode = 0, resolve }: OpenHow): number {
  const bytes = cstring(path);
  how[0] = flags | O_CLOEXEC;
  how[2] = mode;
  how[4] = resolve;
  for (let tries = openat2Tries; ; tries--) {
    const fd = native.openat2(native.number.openat2, dirfd, bytes, howBytes, howBytes.length);
    if (fd >= 0) return fd;
    if (tries === 0 || native.lastErrno() !== EAGAIN) fail("openat2", path);
  }
}

/** Close a descriptor. Also after an error (EIO) it is closed. @see close(2) */
export function close(fd: number): void {
  if (native.close(fd) < 0) fail("close");
}

/**
 * Make a device, FIFO, socket or empty file; `mode` includes the type (S_IF*).
 * @throws SystemError EINVAL, for a device number beyond 12 bits of major and 20 of minor
 * @see mknod(2)
 */
export function mknodat(dirfd: number, name: Bytes, mode: number, rdev: Device): void {
  if (native.mknodat(native.number.mknodat, dirfd, cstring(name), mode, encodeDevice(rdev, name)) < 0) {
    fail("mknodat", name);
  }
}

/** Make the symlink `name` that points to `target`, whatever that is. @see symlink(2) */
export function symlinkat(target: Bytes, dirfd: number, name: Bytes): void {
  if (native.symlinkat(cstring(target), dirfd, secondCstring(name)) < 0) fail("symlinkat", target, name);
}

/**
 * Give a file a second name. A last symlink is linked itself, not what it points to, unless `flags` has
 * AT_SYMLINK_FOLLOW.
 * @see link(2)
 */
export function linkat(oldDirfd: number, oldName: Bytes, newDirfd: number, newName: Bytes, flags = 0): void {
  if (native.linkat(oldDirfd, cstring(oldName), newDirfd, secondCstring(newName), flags) < 0) {
    fail("linkat", oldName, newName);
  }
}

/** Remove a name; of a directory with {@link AT_REMOVEDIR}. @see unlink(2) */
export function unlinkat(dirfd: number, name: Bytes, flags = 0): void {
  if (native.unlinkat(dirfd, cstring(name), flags) < 0) fail("unlinkat", name);
}

/** Rename, with RENAME_* flags that Node's rename lacks. @see rename(2) */
export function renameat2(
  oldDirfd: number,
  oldName: Bytes,
  newDirfd: number,
  newName: Bytes,
  flags = 0,
): void {
  const from = cstring(oldName);
  const to = secondCstring(newName);
  if (native.renameat2(native.number.renameat2, oldDirfd, from, newDirfd, to, flags) < 0) {
    fail("renameat2", oldName, newName);
  }
}

// A link's target is at most PATH_MAX - 1 bytes.
const target = Buffer.allocUnsafeSlow(4096);

/** Where a symlink points to, as bytes. With `name` "", the symlink that `dirfd` (O_PATH) is. @see readlink(2) */
export function readlinkat(dirfd: number, name: Bytes): Buffer {
  const length = native.readlinkat(dirfd, cstring(name), target, target.length);
  return length < 0 ? fail("readlinkat", name) : Buffer.from(target.subarray(0, length));
}

// The kernel's encoding of a 32-bit dev_t, new_encode_dev() of include/linux/kdev_t.h: the low 8 bits of the minor,
// 12 bits of major, the other 12 bits of the minor.
function encodeDevice({ major, minor }: Device, name: Bytes): number {
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff)
    throw new SystemError(EINVAL, "mknodat", name);
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
