import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
// Not all of the package: a command that only reads names has no use for the rest.
import { flock } from "@strata/linux/locks";
import { errnoCode } from "./errors.ts";

export type LockMode = "shared" | "exclusive";

export interface FileLockOptions {
  /** Make the file, with mode 0600, if it is not there. A directory must be there. @defaultValue true */
  readonly create?: boolean;
}

export interface TakeLockOptions extends FileLockOptions {
  /** Gives up waiting, with the signal's reason. */
  readonly signal?: AbortSignal;
}

// Waiting is polling, since a blocking flock(2) would stop the event loop.
const firstWaitMs = 1;
const longestWaitMs = 25;

/**
 * A flock(2) on a file or directory. It excludes other processes and also other holders in this process, since the
 * lock belongs to the open file. The kernel frees it when the holder dies, however that happens.
 *
 * ```ts
 * using lock = await FileLock.take(`${root}/lock`, "exclusive");
 * ```
 */
export class FileLock implements Disposable {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Wait for the lock and take it. The event loop goes on meanwhile; there is no queue, so a lock that is never
   * free for long can starve a waiter.
   * @throws the system error, if the file cannot be opened
   */
  static async take(path: string, mode: LockMode, options: TakeLockOptions = {}): Promise<FileLock> {
    const { signal } = options;
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      signal?.throwIfAborted();
      const lock = FileLock.tryTake(path, mode, options);
      if (lock !== undefined) return lock;
      await setTimeout(waitMs * (0.5 + Math.random()), undefined, { ...(signal && { signal }) }).catch(() => {
        // Only an abort rejects; the loop throws its reason.
      });
    }
  }

  /** Take the lock if it is free, else return undefined. @throws the system error, as {@link FileLock.take} */
  static tryTake(
    path: string,
    mode: LockMode,
    { create = true }: FileLockOptions = {},
  ): FileLock | undefined {
    const { O_RDONLY, O_CREAT } = constants;
    for (;;) {
      const fd = openSync(path, create ? O_RDONLY | O_CREAT : O_RDONLY, 0o600);
      let taken = false;
      try {
        if (!flock(fd, mode, { nonblocking: true })) return undefined;
        // The file may have been removed or renamed while it was being locked; then the lock is worth nothing.
        taken = isAt(path, fd);
        if (taken) return new FileLock(fd);
      } finally {
        if (!taken) closeSync(fd);
      }
    }
  }

  /** Whether anybody holds the lock now; not if there is no such file. */
  static isHeld(path: string): boolean {
    try {
      using lock = FileLock.tryTake(path, "shared", { create: false });
      return lock === undefined;
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** Free the lock. Twice is fine. */
  release(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function isAt(path: string, fd: number): boolean {
  const now = statSync(path, { bigint: true, throwIfNoEntry: false });
  const locked = fstatSync(fd, { bigint: true });
  return now !== undefined && now.ino === locked.ino && now.dev === locked.dev;
}
