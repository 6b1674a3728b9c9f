import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../peers/command.ts";

const size = "12G";

/**
 * A new ext4 in a file, mounted while this lives. What ran before leaves traces on a file system that slow down what
 * runs next: ext4 passes over the inodes of deleted files for up to five minutes, one by one.
 */
export class FreshFileSystem implements AsyncDisposable {
  readonly #image: string;
  /** Where it is mounted. */
  readonly path: string;

  private constructor(directory: string) {
    this.#image = join(directory, "file-system.img");
    this.path = join(directory, "file-system");
  }

  /** @param directory - where the file is, on a disk with room for what is written */
  static async make(directory: string): Promise<FreshFileSystem> {
    const fileSystem = new FreshFileSystem(directory);
    await fileSystem.#clear();
    await mkdir(fileSystem.path);
    await run("truncate", ["--size", size, fileSystem.#image]);
    await run("mkfs.ext4", ["-q", fileSystem.#image]);
    // Without noinit_itable the kernel goes on formatting in the background.
    await run("mount", ["-o", "loop,noinit_itable", fileSystem.#image, fileSystem.path]);
    return fileSystem;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", [this.path]);
    await this.#clear();
  }

  async #clear(): Promise<void> {
    await rm(this.#image, { force: true });
    await rm(this.path, { recursive: true, force: true });
  }
}
