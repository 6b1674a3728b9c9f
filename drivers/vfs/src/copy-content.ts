import { ftruncateSync } from "node:fs";
import { errnoCode } from "@strata/core";
import { copyFileRange, ficlone, type Stat, seekData, seekHole } from "@strata/linux";

/** Bytes copied before others get their turn. */
const chunk = 8 * 1024 * 1024;

/** Copies what is in regular files, all on one file system: by sharing blocks if that can be, and keeping holes. */
export class ContentCopier {
  #reflink = true;

  /** Make `copy`, an open empty file, have the content of `source`. Yields now and then. */
  *copy(source: number, copy: number, { size, blocks }: Stat): Generator<void, void> {
    if (size === 0 || this.#share(source, copy)) return;
    if (blocks * 512 >= size) {
      yield* copyRange(source, copy, 0, size);
      return;
    }
    for (let start = seekData(source, 0); start !== undefined; ) {
      const end = seekHole(source, start) ?? size;
      yield* copyRange(source, copy, start, end);
      start = seekData(source, end);
    }
    ftruncateSync(copy, size);
  }

  #share(source: number, copy: number): boolean {
    if (!this.#reflink) return false;
    try {
      ficlone(copy, source);
      return true;
    } catch (error) {
      const code = errnoCode(error);
      // EINVAL is about this one file (btrfs: checksums off); the others say that this file system never can.
      if (code === "EINVAL") return false;
      if (code !== "ENOTSUP" && code !== "ENOTTY" && code !== "ENOSYS" && code !== "EXDEV") throw error;
      this.#reflink = false;
      return false;
    }
  }
}

function* copyRange(source: number, copy: number, start: number, end: number): Generator<void, void> {
  for (let at = start; at < end; ) {
    const copied = copyFileRange(source, at, copy, at, Math.min(chunk, end - at));
    if (copied === 0) return;
    at += copied;
    yield;
  }
}
