import { createHash } from "node:crypto";
import { unlink } from "node:fs/promises";
import { type Digest, errnoCode, type Problem } from "@strata/core";
import { blobSize } from "../content/blobs.ts";
import type { StoreContext } from "../content/context.ts";
import { blobPath } from "../content/paths.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { readRange } from "../streams/range.ts";
import type { ExamineOptions } from "./options.ts";

/** A blob that images need. */
export interface NeededBlob {
  readonly digest: Digest;
  /** Bytes, where a descriptor says how many. */
  readonly size?: number;
  /** What it is, and which images need it: `layer of debian:12`. */
  readonly what: string;
  /** An image that brings it, if it is loaded again. */
  readonly image: string;
}

/** Whether a blob is there and is what its digest says; with `quick`, whether its size is right. */
export async function isBlobIntact(
  { root }: StoreContext,
  { digest, size }: NeededBlob,
  { quick = false, signal }: ExamineOptions,
): Promise<boolean> {
  const actual = await blobSize(root, digest);
  if (actual === undefined || (size !== undefined && actual !== size)) return false;
  if (quick) return true;
  const hash = createHash("sha256");
  try {
    for await (const chunk of readRange({ path: blobPath(root, digest) })) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
  } catch (error) {
    // Another process has removed it since.
    if (errnoCode(error) === "ENOENT") return false;
    throw error;
  }
  return digest === `sha256:${hash.digest("hex")}`;
}

/**
 * Say that a blob is not intact. To repair it, it is deleted: loading an image reads again only what is not there.
 */
export async function reportBlob(
  { root }: StoreContext,
  { digest, what, image }: NeededBlob,
  { repair = false }: ExamineOptions,
): Promise<Problem> {
  const subject = `blob ${digest}`;
  const isThere = (await blobSize(root, digest)) !== undefined;
  const state = isThere ? "damaged" : "missing";
  if (isThere && !repair) {
    return { subject, message: `${what} is damaged; repair the store, then load or pull ${image} again` };
  }
  if (isThere) await withStoreLock(root, () => unlink(blobPath(root, digest)));
  failpoint("repair.blob-deleted");
  return { subject, message: `${what} is ${state}; load or pull ${image} again` };
}
