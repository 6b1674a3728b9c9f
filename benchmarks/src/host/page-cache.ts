import { writeFile } from "node:fs/promises";
import { run } from "../peers/command.ts";

/**
 * Forget what the kernel holds of files in memory: pages, dentries and inodes. What is dirty is written first. Source:
 * Linux Documentation/admin-guide/sysctl/vm.rst, drop_caches.
 * @throws Error, without root, or where `/proc/sys` is read-only
 */
export async function dropPageCache(): Promise<void> {
  await run("sync", []);
  try {
    await writeFile("/proc/sys/vm/drop_caches", "3\n");
  } catch (cause) {
    throw new Error("the page cache cannot be dropped: that takes root, on the host itself", { cause });
  }
}
