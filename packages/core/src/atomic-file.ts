import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { failpoint } from "./failpoint.ts";

export interface WriteFileOptions {
  /** The new content survives a power cut once this has returned. Costs two fsync(2). @defaultValue true */
  readonly durable?: boolean;
  /** @defaultValue 0o600 */
  readonly mode?: number;
  /** Where to write it first: a path on the same file system. @defaultValue `<path>.tmp` */
  readonly temporary?: string;
}

/**
 * Replace the content of `path` as a whole: who reads it sees the old content or the new, also after a crash.
 *
 * It is written to a temporary file first, so there may be one writer of a path at a time. What a killed writer left
 * there, the next one overwrites.
 * @throws the system error
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { durable = true, mode = 0o600, temporary = `${path}.tmp` }: WriteFileOptions = {},
): Promise<void> {
  try {
    const file = await open(temporary, "w", mode);
    failpoint("file.temporary-made");
    try {
      await file.writeFile(data);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    failpoint("file.temporary-written");
    await rename(temporary, path);
  } catch (error) {
    // On a full disk, what was half written would hold what little space there is.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  failpoint("file.renamed");
  if (durable) await fsyncPath(dirname(path));
}

/**
 * Make a file's content, or a directory's entries, durable: one fsync(2).
 * @throws the system error
 */
export async function fsyncPath(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
