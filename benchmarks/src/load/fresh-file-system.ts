import { mkdirSync } from "node:fs";
import { run } from "../peers/command.ts";
import { Scratch } from "../peers/scratch.ts";

const size = "12G";

/**
 * A new ext4 in a file, mounted while this lives. What ran before leaves traces on a file system that slow down what
 * runs next: ext4 passes over the inodes of deleted files for up to five minutes, one by one.
 */
export class FreshFileSystem implements AsyncDisposable {
  readonly #scratch: Scratch;

  private constructor(directory: string) {
    this.#scratch = new Scratch(directory);
  }

  /** Where it is mounted. */
  get path(): string {
    return this.#scratch.join("mounted");
  }

  /** @param directory - where the file is, on a disk with room for what is written */
  static async make(directory: string): Promise<FreshFileSystem> {
    const fileSystem = new FreshFileSystem(directory);
    const image = fileSystem.#scratch.join("image");
    mkdirSync(fileSystem.path);
    await run("truncate", ["--size", size, image]);
    await run("mkfs.ext4", ["-q", image]);
    // Without noinit_itable the kernel goes on formatting in the background.
    await run("mount", ["-o", "loop,noinit_itable", image, fileSystem.path]);
    return fileSystem;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}
