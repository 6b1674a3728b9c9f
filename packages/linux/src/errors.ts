import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { type Bytes, display } from "./bytes.ts";
import { lastErrno, strerror } from "./syscalls.ts";

/** A system call that failed: an Error of the shape that Node's own `fs` throws. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** The error's name, e.g. `ENOENT`. */
  readonly code: string;
  /** The error's number, negative as in Node. */
  readonly errno: number;
  /** The system call, e.g. `openat`. */
  readonly syscall: string;
  /** The path or name it was called with, decoded for people. */
  declare readonly path?: string;
  /** The second path, of calls that take two. */
  declare readonly dest?: string;

  constructor(errno: number, syscall: string, path?: Bytes, dest?: Bytes) {
    const code = errorName(errno);
    const about = path === undefined ? "" : ` '${display(path)}'`;
    const towards = dest === undefined ? "" : ` -> '${display(dest)}'`;
    super(`${code}: ${errorText(errno)}, ${syscall}${about}${towards}`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = display(path);
    if (dest !== undefined) this.dest = display(dest);
  }
}

/** Throw what the last native call left in errno. */
export function fail(syscall: string, path?: Bytes, dest?: Bytes): never {
  throw new SystemError(lastErrno(), syscall, path, dest);
}

// Node's two tables are not the same: libuv's has no EDQUOT, os.constants no EUCLEAN, which ext4 and xfs report for
// damaged metadata.
const namesBeyondLibuv = new Map<number, string>([
  ...Object.entries(constants.errno).map(([name, errno]): [number, string] => [errno, name]),
  [117, "EUCLEAN"],
]);

function errorName(errno: number): string {
  const name = getSystemErrorName(-errno);
  return name.startsWith("E") ? name : (namesBeyondLibuv.get(errno) ?? `E${errno}`);
}

function errorText(errno: number): string {
  const text = strerror(errno);
  return text.charAt(0).toLowerCase() + text.slice(1);
}
