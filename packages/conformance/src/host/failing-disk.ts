import { mkdirSync, truncateSync } from "node:fs";
import { type FileSystemType, LoopFileSystem } from "./loop-file-system.ts";
import { run } from "./run-program.ts";
import { Scratch } from "./scratch.ts";

const mebibyte = 2 ** 20;

/** What the file system believes it has, in bytes. */
const sizes = { ext4: 128 * mebibyte, btrfs: 256 * mebibyte, xfs: 320 * mebibyte } as const;

/**
 * A file system on a device that fails. It lies in a sparse file on a tmpfs with room for a part of it only: beyond
 * that, the device can write no block, and the file system learns of it when it is too late to tell the writer. Its end
 * can be cut off too: then blocks cannot be read.
 */
export class FailingDisk implements AsyncDisposable {
  readonly #scratch: Scratch;
  readonly #fileSystem: LoopFileSystem;
  readonly #bytes: number;

  private constructor(scratch: Scratch, fileSystem: LoopFileSystem, bytes: number) {
    this.#bytes = bytes;
    this.#scratch = scratch;
    this.#fileSystem = fileSystem;
  }

  /** @param goodBytes - how much it can hold before it fails, beside what `mkfs` writes */
  static async make(type: FileSystemType, goodBytes: number): Promise<FailingDisk> {
    const scratch = new Scratch();
    try {
      const backing = scratch.join("backing");
      mkdirSync(backing);
      await run("mount", ["-t", "tmpfs", "-o", "size=512m", "tmpfs", backing]);
      const fileSystem = await LoopFileSystem.make(type, { sizeBytes: sizes[type], directory: backing });
      const disk = new FailingDisk(scratch, fileSystem, sizes[type]);
      const used = await run("du", ["--block-size=1", "--summarize", backing]);
      await disk.#resize(Number.parseInt(used, 10) + goodBytes);
      return disk;
    } catch (error) {
      await scratch[Symbol.asyncDispose]();
      throw error;
    }
  }

  join(...names: readonly string[]): string {
    return this.#fileSystem.join(...names);
  }

  /**
   * From now on, the last part of the device cannot be read, nor is any of it in memory.
   * @param goodPart - how much of it still can be: between 0 and 1
   */
  async cutOff(goodPart: number): Promise<void> {
    await this.#fileSystem.replaceBy(this.#fileSystem.image);
    truncateSync(this.#fileSystem.image, Math.floor(this.#bytes * goodPart));
  }

  /** Mount what could be written on a device that is good again: as after a repair. */
  async repair(): Promise<void> {
    await this.#resize(512 * mebibyte);
    await this.#fileSystem.replaceBy(this.#fileSystem.image);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fileSystem[Symbol.asyncDispose]();
    await this.#scratch[Symbol.asyncDispose]();
  }

  async #resize(bytes: number): Promise<void> {
    await run("mount", ["-o", `remount,size=${bytes}`, this.#scratch.join("backing")]);
  }
}
