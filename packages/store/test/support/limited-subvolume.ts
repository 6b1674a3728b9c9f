import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { LoopFileSystem } from "@strata/conformance/suite";
import {
  BTRFS_QGROUP_INFO,
  BTRFS_QUOTA_TREE,
  btrfsQgroupLimit,
  btrfsQuotaEnableSimple,
  btrfsTreeSearch,
  decodeQgroupBytes,
  syncfs,
} from "@strata/linux";
import type { Room } from "./growing-room.ts";

/** The group that the subvolume is in. Each subvolume that is made inside joins it by itself. */
const group = { name: "1/100", id: (1n << 48n) | 100n };

const unlimited = 2n ** 62n;

/** What a quota leaves room for, in bytes: from nothing to 16 MiB in 13 steps. */
const steps: readonly bigint[] = [0n, ...Array.from({ length: 13 }, (_, n) => 4096n << BigInt(n))];

/**
 * A subvolume of btrfs with a limit on all that is in it, subvolumes inside included: a quota that is full though the
 * disk is not.
 */
export class LimitedSubvolume implements AsyncDisposable, Room {
  readonly #disk: LoopFileSystem;
  readonly #fd: number;
  #used = 0n;
  #step = 0;

  private constructor(disk: LoopFileSystem) {
    this.#disk = disk;
    this.#fd = openSync(disk.path, "r");
  }

  static async make(): Promise<LimitedSubvolume> {
    const made = new LimitedSubvolume(await LoopFileSystem.make("btrfs"));
    try {
      // What is written before quotas are on does not count.
      btrfsQuotaEnableSimple(made.#fd);
      const { path } = made.#disk;
      btrfs("subvolume", "create", made.join());
      btrfs("qgroup", "create", group.name, path);
      const id = btrfs("inspect-internal", "rootid", made.join()).trim();
      btrfs("qgroup", "assign", "--no-rescan", `0/${id}`, group.name, path);
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  join(...names: readonly string[]): string {
    return this.#disk.join("limited", ...names);
  }

  fill(): void {
    syncfs(this.#fd);
    this.#used = this.#usedBytes();
    this.#step = 0;
    this.#limit();
  }

  more(): boolean {
    if (this.#step + 1 === steps.length) return false;
    this.#step += 1;
    this.#limit();
    return true;
  }

  relieve(): void {
    btrfsQgroupLimit(this.#fd, group.id, unlimited);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeSync(this.#fd);
    await this.#disk[Symbol.asyncDispose]();
  }

  #limit(): void {
    btrfsQgroupLimit(this.#fd, group.id, this.#used + (steps[this.#step] ?? 0n));
    // Only what has been written is counted as given back.
    syncfs(this.#fd);
  }

  #usedBytes(): bigint {
    const types = [BTRFS_QGROUP_INFO, BTRFS_QGROUP_INFO] as const;
    for (const item of btrfsTreeSearch(this.#fd, { tree: BTRFS_QUOTA_TREE, types }))
      if (item.offset === group.id) return BigInt(decodeQgroupBytes(item));
    throw new Error(`there is no group ${group.name}`);
  }
}

function btrfs(...args: readonly string[]): string {
  return execFileSync("btrfs", args, { encoding: "utf8" });
}
