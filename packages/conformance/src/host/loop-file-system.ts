import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run-program.ts";
import { Scratch } from "./scratch.ts";

export type FileSystemType = "ext4" | "xfs" | "btrfs";

export interface LoopFileSystemOptions {
  /** Of the sparse file that it lies in, in bytes. @defaultValue 512 MiB, beyond the least that each type takes */
  readonly sizeBytes?: number;
  /** For `mkfs`. @defaultValue none */
  readonly mkfsArguments?: readonly string[];
  /** For `mount -o`. @defaultValue none */
  readonly mountOptions?: readonly string[];
  /** Where its file lies. @defaultValue the host's directory for temporary files */
  readonly directory?: string;
}

/**
 * A file system of one's own, in a sparse file on a loop device: mounted while this lives. Needs root and the type's
 * `mkfs`.
 */
export class LoopFileSystem implements AsyncDisposable {
  readonly type: FileSystemType;
  /** Where it is mounted. */
  readonly path: string;
  /** The file it lies in. */
  readonly image: string;
  readonly #scratch: Scratch;
  readonly #mountOptions: readonly string[];
  #copies = 0;

  private constructor(type: FileSystemType, scratch: Scratch, mountOptions: readonly string[]) {
    this.type = type;
    this.#scratch = scratch;
    this.#mountOptions = mountOptions;
    this.path = scratch.join("mounted");
    this.image = scratch.join("image");
    mkdirSync(this.path);
  }

  static async make(type: FileSystemType, options: LoopFileSystemOptions = {}): Promise<LoopFileSystem> {
    const { sizeBytes = 512 * 2 ** 20, mkfsArguments = [], mountOptions = [], directory } = options;
    const made = new LoopFileSystem(type, new Scratch(directory), mountOptions);
    try {
      await run("truncate", ["--size", `${sizeBytes}`, made.image]);
      await run(`mkfs.${type}`, ["-q", ...mkfsArguments, made.image]);
      await made.#mount(made.image);
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * What a power cut at this moment would leave: a copy of what has reached the disk so far. Without a sync, so that it
   * is what the file system alone has seen to. For while nothing is being written: a copy takes its time, and would
   * have new blocks of one place beside old ones of another, as no power cut leaves them.
   * @returns the copy's path; it goes when this is disposed
   */
  copyImage(): Promise<string> {
    return this.#copy("--sparse=always", "--reflink=never");
  }

  /**
   * As {@link copyImage}, and of one moment, also while something is being written: a clone, which shares the blocks.
   * Where it lies must be able to do that (btrfs, xfs), see {@link LoopFileSystemOptions.directory}.
   */
  cloneImage(): Promise<string> {
    return this.#copy("--reflink=always");
  }

  /**
   * Mount a copy in place of what is mounted now. Both have one UUID, so that the kernel would take them for one file
   * system, or refuse.
   */
  async replaceBy(copy: string): Promise<void> {
    await run("umount", [this.path]);
    await this.#mount(copy);
  }

  /** Bring all that was written so far to its file. */
  async sync(): Promise<void> {
    await run("sync", ["--file-system", this.path]);
  }

  join(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }

  async #copy(...how: readonly string[]): Promise<string> {
    this.#copies += 1;
    const copy = this.#scratch.join(`copy-${this.#copies}`);
    await run("cp", [...how, this.image, copy]);
    return copy;
  }

  async #mount(image: string): Promise<void> {
    const options = ["loop", ...this.#mountOptions].join(",");
    await run("mount", ["-t", this.type, "-o", options, image, this.path]);
  }
}
