import { LoopFileSystem } from "@strata/conformance/suite";

/**
 * A new ext4 in a file, mounted while it lives. What ran before leaves traces on a file system that slow down what
 * runs next: ext4 passes over the inodes of deleted files for up to five minutes, one by one.
 * @param directory - where the file is, on a disk with room for what is written
 */
export function freshFileSystem(directory: string): Promise<LoopFileSystem> {
  // Without noinit_itable the kernel goes on formatting in the background.
  return LoopFileSystem.make("ext4", { directory, sizeBytes: 12 * 2 ** 30, mountOptions: ["noinit_itable"] });
}
