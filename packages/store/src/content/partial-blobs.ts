import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type CleanupReport, type Digest, errnoCode, FileLock } from "@strata/core";
import { downloadPath, downloadsDir } from "./paths.ts";

/** A blob that has not arrived in full, or that no image has yet. */
export interface PartialBlob {
  readonly path: string;
  /** Whether somebody is downloading it now. */
  readonly isHeld: boolean;
}

export async function partialBlobs(root: string): Promise<PartialBlob[]> {
  const paths = await partialPaths(root);
  return paths.map((path) => ({ path, isHeld: FileLock.isHeld(path) }));
}

/** Remove those that nobody is downloading. Who has one of them staged keeps it. */
export async function removePartialBlobs(root: string): Promise<CleanupReport> {
  const reports = await Promise.all((await partialPaths(root)).map(removeUnheld));
  return {
    removed: reports.filter((bytes) => bytes !== undefined).length,
    bytes: reports.reduce<number>((sum, bytes = 0) => sum + bytes, 0),
  };
}

/** Forget what was downloaded of a blob, now that it is in its place, unless somebody is at it: then it is theirs. */
export async function removePartialBlob(root: string, digest: Digest): Promise<void> {
  await removeUnheld(downloadPath(root, digest));
}

async function partialPaths(root: string): Promise<string[]> {
  try {
    return (await readdir(downloadsDir(root))).map((name) => join(downloadsDir(root), name));
  } catch (error) {
    // It is made by the first download.
    if (errnoCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** @returns the bytes on disk that this gave back, or undefined if it was not removed */
async function removeUnheld(path: string): Promise<number | undefined> {
  try {
    using lock = FileLock.tryTake(path, "exclusive", { create: false });
    if (lock === undefined) return undefined;
    const { blocks, nlink } = await stat(path);
    await rm(path);
    return nlink > 1 ? 0 : blocks * 512;
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
