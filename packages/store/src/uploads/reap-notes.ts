import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type CleanupReport, errnoCode, FileLock } from "@strata/core";
import { blobSize } from "../content/blobs.ts";
import { uploadsDir } from "../content/paths.ts";
import { readNote } from "./upload-note.ts";

/** Registries forget an upload after some days: docker's own after a week. */
const oldestMs = 7 * 24 * 60 * 60 * 1000;

/** Remove the notes of uploads that cannot be gone on with: without their blob, too old, or empty. */
export async function reapNotes(root: string): Promise<CleanupReport> {
  const reports = await Promise.all((await notePaths(root)).map((path) => reapNote(root, path)));
  const bytes = reports.filter((report) => report !== undefined);
  return { removed: bytes.length, bytes: bytes.reduce((sum, each) => sum + each, 0) };
}

async function notePaths(root: string): Promise<string[]> {
  try {
    return (await readdir(uploadsDir(root))).map((name) => join(uploadsDir(root), name));
  } catch (error) {
    // It is made by the first upload.
    if (errnoCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** @returns the bytes on disk that this gave back, or undefined if it stays */
async function reapNote(root: string, path: string): Promise<number | undefined> {
  try {
    using lock = FileLock.tryTake(path, "exclusive", { create: false });
    if (lock === undefined) return undefined;
    const { blocks, mtimeMs } = await stat(path);
    const note = await readNote(path);
    const isUseful =
      note && Date.now() - mtimeMs < oldestMs && (await blobSize(root, note.digest)) !== undefined;
    if (isUseful) return undefined;
    await rm(path);
    return blocks * 512;
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
