import { FileLock } from "@strata/core";
import { lockFile } from "./paths.ts";

/**
 * Run `change` with the store's lock held. What a store points to (index.json, containers, which blobs and snapshots
 * are in use) is changed under this lock only. It is held for metadata, never while bytes move.
 */
export async function withStoreLock<T>(
  root: string,
  change: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  using _lock = await FileLock.take(lockFile(root), "exclusive", { ...(signal && { signal }) });
  return await change();
}
