import type { DriverUnderTest } from "../driver-under-test.ts";
import { LoopFileSystem } from "./loop-file-system.ts";

/** Where the roots of a driver under test go: a file system of the type it wants, or its directory. */
export class RootFileSystem implements AsyncDisposable {
  /** Undefined: the host's directory for temporary files. */
  readonly directory: string | undefined;
  readonly #loop: LoopFileSystem | undefined;

  private constructor(directory: string | undefined, loop: LoopFileSystem | undefined) {
    this.directory = directory;
    this.#loop = loop;
  }

  static async make({ directory, fileSystem }: DriverUnderTest): Promise<RootFileSystem> {
    if (fileSystem === undefined) return new RootFileSystem(directory, undefined);
    const loop = await LoopFileSystem.make(fileSystem, {
      sizeBytes: 4 * 2 ** 30,
      ...(directory !== undefined && { directory }),
    });
    return new RootFileSystem(loop.path, loop);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
  }
}
