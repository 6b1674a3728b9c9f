import { type Bytes, cstring, secondCstring } from "./bytes.ts";
import { AT_EMPTY_PATH, O_CLOEXEC } from "./constants.ts";
import { fail } from "./errors.ts";
import * as native from "./syscalls.ts";

/*
 * Mounting by descriptors: fsopen, fsconfig..., fsmount, moveMount for a new file system; openTree, mountSetattr,
 * moveMount for a copy of an existing mount. A mount that was not moved anywhere goes with its descriptor.
 */

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;

// enum fsconfig_command of include/uapi/linux/mount.h.
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_SET_FD = 5;
const FSCONFIG_CMD_CREATE = 6;

/** Start making a mount of a type of file system, e.g. `overlay`. @returns the context's descriptor. @see fsopen(2) */
export function fsopen(fstype: string): number {
  const fd = native.fsopen(native.number.fsopen, cstring(fstype), FSOPEN_CLOEXEC);
  return fd < 0 ? fail("fsopen", fstype) : fd;
}

/** Set `key` to a string of at most 255 bytes. @see fsconfig(2) */
export function fsconfigString(fd: number, key: string, value: Bytes): void {
  fsconfig(fd, FSCONFIG_SET_STRING, key, secondCstring(value), 0);
}

/** Set an option that takes no value, e.g. `ro`. @see fsconfig(2) */
export function fsconfigFlag(fd: number, key: string): void {
  fsconfig(fd, FSCONFIG_SET_FLAG, key, null, 0);
}

/** Set `key` to an open file or directory. @see fsconfig(2) */
export function fsconfigFd(fd: number, key: string, fdValue: number): void {
  fsconfig(fd, FSCONFIG_SET_FD, key, null, fdValue);
}

/** All options are set: make the file system. @see fsconfig(2) */
export function fsconfigCreate(fd: number): void {
  if (native.fsconfig(native.number.fsconfig, fd, FSCONFIG_CMD_CREATE, null, null, 0) < 0) fail("fsconfig");
}

function fsconfig(fd: number, command: number, key: string, value: Uint8Array | null, aux: number): void {
  if (native.fsconfig(native.number.fsconfig, fd, command, cstring(key), value, aux) < 0)
    fail("fsconfig", key);
}

const logMessage = Buffer.allocUnsafeSlow(4096);

/**
 * The kernel's messages about a context, oldest first, each once: why fsconfig or fsmount failed. The letter in
 * front that says how grave it is (`e`, `w`, `i`) is taken off.
 * @see fsopen(2)
 */
export function fscontextLog(fd: number): string[] {
  const messages: string[] = [];
  for (;;) {
    // One message a read; ENODATA when there are no more. Any other failure is no reason to lose the first error.
    const length = native.read(fd, logMessage, logMessage.length);
    if (length <= 0) return messages;
    messages.push(
      logMessage
        .toString("utf8", 0, length)
        .replace(/^[ewi] /, "")
        .trimEnd(),
    );
  }
}

/** Mount what the context made, nowhere yet. @param attributes - MOUNT_ATTR_*. @see fsmount(2) */
export function fsmount(fd: number, attributes = 0): number {
  const mount = native.fsmount(native.number.fsmount, fd, FSMOUNT_CLOEXEC, attributes);
  return mount < 0 ? fail("fsmount") : mount;
}

const MOVE_MOUNT_F_EMPTY_PATH = 0x04;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;

/** Attach a mount to `toPath` in `toDirfd`; to `toDirfd` itself with `toPath` "". @see move_mount(2) */
export function moveMount(fromFd: number, toDirfd: number, toPath: Bytes): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | (toPath.length === 0 ? MOVE_MOUNT_T_EMPTY_PATH : 0);
  const from = cstring("");
  if (native.moveMount(native.number.moveMount, fromFd, from, toDirfd, secondCstring(toPath), flags) < 0) {
    fail("move_mount", toPath);
  }
}

/**
 * Take hold of a mount or, with {@link OPEN_TREE_CLONE}, make a copy of it that is mounted nowhere yet.
 * @see open_tree(2)
 */
export function openTree(dirfd: number, path: Bytes, flags: number): number {
  const fd = native.openTree(native.number.openTree, dirfd, cstring(path), flags | O_CLOEXEC);
  return fd < 0 ? fail("open_tree", path) : fd;
}

/** What to change about a mount. */
export interface MountAttributes {
  /** MOUNT_ATTR_* to set. @defaultValue 0 */
  readonly set?: number;
  /** MOUNT_ATTR_* to clear. @defaultValue 0 */
  readonly clear?: number;
  /** One of MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE. @defaultValue unchanged */
  readonly propagation?: number;
}

// struct mount_attr of mount_setattr(2): u64 attr_set, attr_clr, propagation, userns_fd. Only low halves are used.
const mountAttr = new Uint32Array(8);
const mountAttrBytes = new Uint8Array(mountAttr.buffer);

/** Change the attributes of the mount that `fd` is in. @see mount_setattr(2) */
export function mountSetattr(fd: number, { set = 0, clear = 0, propagation = 0 }: MountAttributes): void {
  mountAttr[0] = set;
  mountAttr[2] = clear;
  mountAttr[4] = propagation;
  const { number, mountSetattr } = native;
  if (
    mountSetattr(number.mountSetattr, fd, cstring(""), AT_EMPTY_PATH, mountAttrBytes, mountAttrBytes.length) <
    0
  ) {
    fail("mount_setattr");
  }
}

/** Unmount `path`. @param flags - MNT_*, UMOUNT_NOFOLLOW. @throws SystemError EBUSY, while in use. @see umount(2) */
export function umount2(path: Bytes, flags = 0): void {
  if (native.umount2(cstring(path), flags) < 0) fail("umount2", path);
}
