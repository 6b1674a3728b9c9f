import { type Bytes, cstring } from "./bytes.ts";
import { EBADF, ENOENT } from "./errno.ts";
import { SystemError } from "./errors.ts";
import * as native from "./syscalls.ts";

/*
 * The kernel refuses O_PATH descriptors in fchmod(2) and the f*xattr(2) calls with EBADF; through their magic link
 * in /proc the same is allowed, and reaches the open file whatever its name is by now.
 */

/** The open file `fd` as a path. */
export function descriptorPath(fd: number): Uint8Array {
  return cstring(`/proc/self/fd/${fd}`);
}

/** `name` in the directory `dirfd` as a path, for calls that have no *at form. */
export function pathAt(dirfd: number, name: Bytes): Uint8Array {
  if (dirfd < 0 || name.length === 0 || name[0] === "/" || name[0] === slash) return cstring(name);
  const directory = `/proc/self/fd/${dirfd}/`;
  if (typeof name === "string") return cstring(directory + name);
  return cstring(Buffer.concat([Buffer.from(directory), name]));
}
const slash = 0x2f;

/** Whether the last call failed because it does not take an O_PATH descriptor (or because none was open). */
export function refusedDescriptor(): boolean {
  return native.lastErrno() === EBADF;
}

/** Throw what the last call left in errno, where a missing link in /proc means that the descriptor is not open. */
export function failDescriptor(syscall: string, name?: Bytes): never {
  const errno = native.lastErrno();
  throw new SystemError(errno === ENOENT ? EBADF : errno, syscall, name);
}
