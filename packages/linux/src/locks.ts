import { EAGAIN, EINTR } from "./errno.ts";
import { fail } from "./errors.ts";
import * as native from "./syscalls.ts";

const operations = { shared: 1, exclusive: 2, unlock: 8 } as const;
const LOCK_NB = 4;

export interface FlockOptions {
  /** Do not wait for a lock that is taken. @defaultValue false: wait, with the whole thread */
  readonly nonblocking?: boolean;
}

/**
 * Take, change or give up a lock on an open file. It belongs to the open file description: closing the descriptor
 * gives it up, and so does the death of the process.
 * @returns false if it is taken and `nonblocking` is set, else true
 * @see flock(2)
 */
export function flock(fd: number, operation: keyof typeof operations, options: FlockOptions = {}): boolean {
  const request = operations[operation] | (options.nonblocking === true ? LOCK_NB : 0);
  while (native.flock(fd, request) < 0) {
    const errno = native.lastErrno();
    if (errno === EAGAIN) return false;
    if (errno !== EINTR) fail("flock");
  }
  return true;
}
