import { writeFile } from "node:fs/promises";
import { run } from "../peers/command.ts";

/**
 * Forget what the kernel holds of files in memory: pages, dentries and inodes. What is dirty is written first. Needs
 * root. Source: Linux Documentation/admin-guide/sysctl/vm.rst, drop_caches.
 */
export async function dropPageCache(): Promise<void> {
  await run("sync", []);
  await writeFile("/proc/sys/vm/drop_caches", "3\n");
}
