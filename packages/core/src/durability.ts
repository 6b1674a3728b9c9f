import { closeSync, openSync } from "node:fs";
import { syncfsInBackground } from "@strata/linux";

/**
 * Make everything written so far to the file system that holds `path` durable.
 * @throws the system error; EIO also if an earlier write could not be brought to disk
 */
export async function syncFileSystem(path: string): Promise<void> {
  const fd = openSync(path, "r");
  try {
    await syncfsInBackground(fd);
  } finally {
    closeSync(fd);
  }
}
