import type { Stats } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Make sure that a file can come to be under `path`, before work is done that it is to hold.
 * @returns what is there now, if anything
 * @throws Error, in docker's words
 */
export async function checkOutputPath(path: string): Promise<Stats | undefined> {
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory()) throw new Error(`invalid output path: ${path} is a directory`);
  const parent = dirname(resolve(path));
  const directory = await stat(parent).catch(() => undefined);
  if (!directory?.isDirectory())
    throw new Error(`invalid output path: directory ${JSON.stringify(parent)} does not exist`);
  return existing;
}

/** Write a text file, or a pipe or device; a file has its old content or all of the new. */
export async function writeOutput(path: string, text: string): Promise<void> {
  const existing = await checkOutputPath(path);
  if (existing !== undefined && !existing.isFile()) return await writeFile(path, text);
  const { writeFileAtomic } = await import("@strata/core");
  await writeFileAtomic(path, text, { mode: existing === undefined ? 0o666 : existing.mode & 0o777 });
}
