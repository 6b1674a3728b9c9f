import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { errnoCode } from "@strata/core";
import { fallocate, syncfs } from "@strata/linux";
import { type FileSystemType, LoopFileSystem } from "./loop-file-system.ts";

const mebibyte = 2 ** 20;

/** The smallest that each type makes well, with next to nothing set aside for root or for metadata. */
const smallest = {
  ext4: { sizeBytes: 48 * mebibyte, mkfsArguments: ["-m", "0"] },
  btrfs: { sizeBytes: 128 * mebibyte, mkfsArguments: ["--mixed"] },
  xfs: { sizeBytes: 320 * mebibyte, mkfsArguments: [] },
} as const;

/** Free space that grows from a single block: from nothing to 16 MiB in 14 steps. */
const growingBytes: readonly number[] = [0, 4096, ...Array.from({ length: 12 }, (_, n) => 4096 * 2 ** n)];

/** Inodes that grow from a single one to 256 in 10 steps. */
const growingInodes: readonly number[] = [0, 1, 1, 2, 4, 8, 16, 32, 64, 128];

export interface FullDiskOptions {
  /** For `mkfs`, beside its own. @defaultValue none */
  readonly mkfsArguments?: readonly string[];
  /** Where the file of its file system lies. @defaultValue the host's directory for temporary files */
  readonly directory?: string;
}

/** A small file system of one's own that runs full, and is then given space again step by step. */
export class FullDisk implements AsyncDisposable {
  readonly #disk: LoopFileSystem;
  /** Files that hold what is to be given back, the next step last. */
  #steps: string[][] = [];

  private constructor(disk: LoopFileSystem) {
    this.#disk = disk;
  }

  static async make(type: FileSystemType, { mkfsArguments = [], directory }: FullDiskOptions = {}) {
    const { sizeBytes, mkfsArguments: own } = smallest[type];
    const disk = await LoopFileSystem.make(type, {
      sizeBytes,
      mkfsArguments: [...own, ...mkfsArguments],
      ...(directory !== undefined && { directory }),
    });
    mkdirSync(disk.join("ballast"));
    return new FullDisk(disk);
  }

  join(...names: readonly string[]): string {
    return this.#disk.join(...names);
  }

  /**
   * Take all space that is left.
   * @param steps - the bytes that each {@link more} gives back
   */
  fill(steps: readonly number[] = growingBytes): void {
    this.#sync();
    this.#steps = steps.map((bytes, step) => [this.#allocate(`step-${step}`, bytes)]).reverse();
    let count = 0;
    for (let bytes = 256 * mebibyte; bytes >= 4096; ) {
      try {
        this.#allocate(`rest-${count++}`, bytes);
      } catch (error) {
        if (errnoCode(error) !== "ENOSPC") throw error;
        bytes /= 2;
      }
    }
    this.#sync();
  }

  /**
   * Take all inodes that are left.
   * @param steps - how many each {@link more} gives back
   */
  fillInodes(steps: readonly number[] = growingInodes): void {
    const names = steps.map((inodes, step) => Array.from({ length: inodes }, (_, n) => `step-${step}-${n}`));
    this.#steps = names.map((list) => list.map((name) => this.#allocate(name, 0))).reverse();
    try {
      for (let count = 0; ; count += 1) this.#allocate(`rest-${count}`, 0);
    } catch (error) {
      if (errnoCode(error) !== "ENOSPC") throw error;
    }
    this.#sync();
  }

  /** Give what one more step holds back. @returns whether there was one */
  more(): boolean {
    const step = this.#steps.pop();
    if (step === undefined) return false;
    for (const path of step) rmSync(path);
    this.#sync();
    return true;
  }

  /** Give everything back. */
  relieve(): void {
    for (const name of readdirSync(this.join("ballast"))) rmSync(this.join("ballast", name));
    this.#steps = [];
    this.#sync();
  }

  /** The bytes that are free, now that everything has reached the disk. */
  get freeBytes(): number {
    this.#sync();
    const { bsize, bfree } = statfsSync(this.join());
    return bsize * bfree;
  }

  /** Wait until at least so many bytes are free; btrfs gives them back by and by. @returns what is free at last */
  async freeAgain(bytes: number): Promise<number> {
    for (let tries = 0; tries < 100 && this.freeBytes < bytes; tries += 1) await setTimeout(100);
    return this.freeBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disk[Symbol.asyncDispose]();
  }

  #allocate(name: string, bytes: number): string {
    const path = this.join("ballast", name);
    const fd = openSync(path, "w");
    try {
      if (bytes > 0) {
        fallocate(fd, 0, 0, bytes);
        fsyncSync(fd);
      }
      return path;
    } catch (error) {
      rmSync(path);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  #sync(): void {
    const fd = openSync(this.join(), "r");
    try {
      syncfs(fd);
    } finally {
      closeSync(fd);
    }
  }
}
