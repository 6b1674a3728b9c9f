import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Context } from "./context.ts";
import { checkOutputPath } from "./output-file.ts";

/**
 * Write an archive to a file or to standard output, never to a terminal. A file appears under its name only when it
 * is complete.
 * @param output - the path given with `-o`
 */
export async function writeArchive(
  context: Context,
  archive: AsyncIterable<Buffer>,
  output: string | undefined,
): Promise<void> {
  if (output !== undefined) {
    const bytes = await writeFile(context, archive, resolve(output));
    if (context.options.json) await context.stdout.json({ path: resolve(output), bytes });
    return;
  }
  for await (const chunk of archive) await context.stdout.write(chunk);
}

/** Call it before anything is opened. @throws Error, in docker's words */
export function refuseTerminal({ stdout }: Context, output: string | undefined): void {
  if (output === undefined && stdout.isTerminal)
    throw new Error("cowardly refusing to save to a terminal. Use the -o flag or redirect");
}

async function writeFile({ signal }: Context, archive: AsyncIterable<Buffer>, path: string): Promise<number> {
  const existing = await checkOutputPath(path);
  // A pipe or a device is written to, not replaced.
  const replaces = existing === undefined || existing.isFile();
  const target = replaces ? `${path}.${process.pid}.tmp` : path;
  const file = createWriteStream(target, { flags: replaces ? "wx" : "w" });
  try {
    await pipeline(archive, file, { signal });
    if (replaces) await rename(target, path);
    return file.bytesWritten;
  } catch (error) {
    if (replaces) await rm(target, { force: true });
    // The pipeline replaces the signal's reason by an AbortError.
    signal.throwIfAborted();
    throw error;
  }
}
