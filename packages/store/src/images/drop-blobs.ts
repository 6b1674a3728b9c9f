import { unlink } from "node:fs/promises";
import { type Digest, errnoCode } from "@strata/core";
import { blobPath } from "../content/paths.ts";
import { failpoint } from "../failpoint.ts";
import { liveBlobs } from "./content.ts";

/**
 * Delete those of `blobs` that nothing in the index leads to. What a load relies on it has linked into its staging
 * directory, from where it will put it back. Call it with the store's lock held.
 * @throws StrataError `Corrupt`, if an image's documents are damaged, since nobody knows then what must stay
 */
export async function dropBlobs(root: string, blobs: Iterable<Digest>): Promise<void> {
  const live = await liveBlobs(root);
  for (const blob of blobs) {
    if (live.has(blob)) continue;
    try {
      await unlink(blobPath(root, blob));
      failpoint("blob.dropped");
    } catch (error) {
      if (errnoCode(error) !== "ENOENT") throw error;
    }
  }
}
