import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { removeTree } from "@strata/core";
import { MNT_DETACH, mountInfo, umount2 } from "@strata/linux";

const settleTimeoutMs = 10_000;
const settlePeriodMs = 100;

/** A directory for a while: disposed, whatever is still mounted below it is unmounted, and it is removed. */
export class Scratch implements AsyncDisposable {
  readonly path: string;

  /** @param parent - decides the file system. @defaultValue the host's directory for temporary files */
  constructor(parent = tmpdir()) {
    // Mounts are known to the kernel by their real path.
    this.path = mkdtempSync(join(realpathSync(parent), "strata-"));
  }

  /** The path of something in it. */
  join(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const deadline = Date.now() + settleTimeoutMs;
    for (;;) {
      try {
        // The newest first: a later mount may lie on or in an earlier one.
        for (const path of mountsBelow(this.path).reverse()) umount2(path, MNT_DETACH);
        await removeTree(this.path);
        return;
      } catch (error) {
        // Tools such as Podman and Docker clean up in processes of their own, which mount and unmount meanwhile.
        if (Date.now() > deadline) throw error;
        await setTimeout(settlePeriodMs);
      }
    }
  }
}

/** What is mounted below a directory, by whichever process; the oldest first. */
export function mountsBelow(directory: string): Buffer[] {
  const below = Buffer.from(`${directory}/`);
  return mountInfo()
    .map(({ mountPoint }) => mountPoint)
    .filter((mountPoint) => mountPoint.subarray(0, below.length).equals(below));
}
