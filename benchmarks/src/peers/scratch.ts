import { mkdtempSync } from "node:fs";
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
    this.path = mkdtempSync(join(parent, "strata-"));
  }

  /** The path of something in it. */
  join(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const deadline = Date.now() + settleTimeoutMs;
    for (;;) {
      this.#unmountAll();
      try {
        await removeTree(this.path);
        return;
      } catch (error) {
        // Podman and Docker clean up after a container in processes of their own, which mount and unmount meanwhile.
        if (Date.now() > deadline) throw error;
        await setTimeout(settlePeriodMs);
      }
    }
  }

  #unmountAll(): void {
    const below = Buffer.from(`${this.path}/`);
    const left = mountInfo().filter(({ mountPoint }) => mountPoint.subarray(0, below.length).equals(below));
    // The newest first: a later mount may lie on or in an earlier one.
    for (const { mountPoint } of left.reverse()) umount2(mountPoint, MNT_DETACH);
  }
}
