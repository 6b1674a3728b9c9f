import { type Bytes, secondCstring } from "./bytes.ts";
import { ENODATA } from "./errno.ts";
import { fail } from "./errors.ts";
import { descriptorPath, failDescriptor, pathAt, refusedDescriptor } from "./procfs.ts";
import * as native from "./syscalls.ts";

/*
 * Extended attributes, see xattr(7). By descriptor (O_PATH too), and by directory and name without following a last
 * symlink: trusted.* and security.* attributes may sit on the symlink itself.
 */

// XATTR_LIST_MAX and XATTR_SIZE_MAX: no list and no value is longer, so one call always does.
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The names of the attributes of an open file. @see listxattr(2) */
export function listxattr(fd: number): Buffer[] {
  let length = native.flistxattr(fd, scratch, scratch.length);
  if (length < 0 && refusedDescriptor()) {
    length = native.listxattr(descriptorPath(fd), scratch, scratch.length);
  }
  return length < 0 ? failDescriptor("flistxattr") : splitNames(length);
}

/** The value of an attribute of an open file, undefined if it has none of that name. @see getxattr(2) */
export function getxattr(fd: number, name: Bytes): Buffer | undefined {
  const attribute = secondCstring(name);
  let length = native.fgetxattr(fd, attribute, scratch, scratch.length);
  if (length < 0 && refusedDescriptor()) {
    length = native.getxattr(descriptorPath(fd), attribute, scratch, scratch.length);
  }
  if (length >= 0) return Buffer.from(scratch.subarray(0, length));
  return native.lastErrno() === ENODATA ? undefined : failDescriptor("fgetxattr", name);
}

/** Set an attribute of an open file, whether it has one of that name or not. @see setxattr(2) */
export function setxattr(fd: number, name: Bytes, value: Uint8Array): void {
  const attribute = secondCstring(name);
  if (native.fsetxattr(fd, attribute, value, value.length, 0) === 0) return;
  if (!refusedDescriptor() || native.setxattr(descriptorPath(fd), attribute, value, value.length, 0) < 0) {
    failDescriptor("fsetxattr", name);
  }
}

/** Remove an attribute of an open file. @throws SystemError ENODATA, if it has none. @see removexattr(2) */
export function removexattr(fd: number, name: Bytes): void {
  const attribute = secondCstring(name);
  if (native.fremovexattr(fd, attribute) === 0) return;
  if (!refusedDescriptor() || native.removexattr(descriptorPath(fd), attribute) < 0) {
    failDescriptor("fremovexattr", name);
  }
}

/** The names of the attributes of `name` in `dirfd`. */
export function listxattrat(dirfd: number, name: Bytes): Buffer[] {
  const length = native.llistxattr(pathAt(dirfd, name), scratch, scratch.length);
  return length < 0 ? fail("llistxattr", name) : splitNames(length);
}

/** The value of the attribute `attr` of `name` in `dirfd`, undefined if it has none of that name. */
export function getxattrat(dirfd: number, name: Bytes, attr: Bytes): Buffer | undefined {
  const length = native.lgetxattr(pathAt(dirfd, name), secondCstring(attr), scratch, scratch.length);
  if (length >= 0) return Buffer.from(scratch.subarray(0, length));
  return native.lastErrno() === ENODATA ? undefined : fail("lgetxattr", name);
}

/** Set the attribute `attr` of `name` in `dirfd`. */
export function setxattrat(dirfd: number, name: Bytes, attr: Bytes, value: Uint8Array): void {
  if (native.lsetxattr(pathAt(dirfd, name), secondCstring(attr), value, value.length, 0) < 0) {
    fail("lsetxattr", name);
  }
}

/** Remove the attribute `attr` of `name` in `dirfd`. @throws SystemError ENODATA, if it has none. */
export function removexattrat(dirfd: number, name: Bytes, attr: Bytes): void {
  if (native.lremovexattr(pathAt(dirfd, name), secondCstring(attr)) < 0) fail("lremovexattr", name);
}

// The kernel's list: each name followed by a NUL.
function splitNames(length: number): Buffer[] {
  const names: Buffer[] = [];
  for (let start = 0; start < length; ) {
    const end = scratch.indexOf(0, start);
    names.push(Buffer.from(scratch.subarray(start, end)));
    start = end + 1;
  }
  return names;
}
