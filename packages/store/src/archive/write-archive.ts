import { createHash } from "node:crypto";
import { once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import { type Digest, StrataError } from "@strata/core";
import { type Pack, pack } from "tar-stream";

/** What is written into an archive. */
export type ArchiveMember =
  | { readonly name: string; readonly bytes: string | Uint8Array }
  | { readonly name: string; readonly file: FileHandle; readonly size: number; readonly digest: Digest }
  /** A directory; its name ends with a slash. */
  | { readonly name: string };

const chunkBytes = 2 ** 20;

/**
 * Members as a tar. The same members give the same bytes: all is owned by root and dated 1970.
 * @throws StrataError `Corrupt`, in the middle of the stream, if a file's bytes are not what its digest says
 */
export async function* writeArchive(
  members: readonly ArchiveMember[],
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const archive = pack();
  const written = writeMembers(archive, members, signal).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  // Whoever reads the archive gets the error, at the next chunk; until then nobody listens.
  archive.on("error", () => {});
  written.catch(() => {});
  try {
    for await (const chunk of archive) {
      if (chunk instanceof Uint8Array) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
    await written;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw error;
  } finally {
    archive.destroy();
  }
}

async function writeMembers(
  archive: Pack,
  members: readonly ArchiveMember[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const member of members) {
    const header = { name: member.name, mtime: new Date(0) };
    if ("bytes" in member) archive.entry({ ...header, mode: 0o644 }, member.bytes);
    else if ("file" in member) await writeFile(archive, header, member, signal);
    else archive.entry({ ...header, mode: 0o755, type: "directory" });
  }
  archive.finalize();
}

async function writeFile(
  archive: Pack,
  header: { name: string; mtime: Date },
  { file, size, digest }: { file: FileHandle; size: number; digest: Digest },
  signal: AbortSignal | undefined,
): Promise<void> {
  const entry = archive.entry({ ...header, size, mode: 0o644 });
  entry.on("error", () => {});
  const closed = once(entry, "close").then(() => {
    throw new Error("closed early");
  });
  // Closing is an error only while there is something to write.
  closed.catch(() => {});
  const hash = createHash("sha256");
  for (let at = 0; at < size; ) {
    signal?.throwIfAborted();
    const length = Math.min(chunkBytes, size - at);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    at += bytesRead;
    if (!entry.write(chunk)) await Promise.race([once(entry, "drain"), closed]);
  }
  const actual = `sha256:${hash.digest("hex")}`;
  if (actual !== digest) {
    throw new StrataError(
      "Corrupt",
      `blob ${digest} is damaged (now ${actual}); load or pull its image again`,
    );
  }
  entry.end(undefined);
}
