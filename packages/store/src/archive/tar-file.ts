import { type FileHandle, open } from "node:fs/promises";
import { StrataError } from "@strata/core";
import { defaultLimits, type LayerEntry, type Limits, limitExceeded, TarReader } from "@strata/layer";
import { headerError, TarMembers } from "./archive.ts";

const blockSize = 512;

/**
 * Find the members of an uncompressed tar file. Only headers are read, so the cost depends on the number of members,
 * not on their size.
 * @throws StrataError `InvalidArgument`, if it is not a tar archive, or is cut off
 */
export async function openTarFile(
  path: string,
  { limits, signal }: { limits?: Partial<Limits>; signal?: AbortSignal } = {},
): Promise<TarMembers> {
  const allLimits = { ...defaultLimits, ...limits };
  const members = new TarMembers(path, false);
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    let count = 0;
    for (let at = 0; ; count += 1) {
      signal?.throwIfAborted();
      if (count > allLimits.maxEntries) throw limitExceeded(allLimits, "maxEntries");
      const header = await readHeader(file, at, allLimits).catch((error: unknown) => {
        throw headerError(members, error);
      });
      if (header === undefined) return members;
      const { entry, offset } = header;
      const end = offset + entry.size;
      if (end > size) {
        throw new StrataError(
          "InvalidArgument",
          `unexpected EOF: ${path} ends in the middle of ${entry.path}`,
        );
      }
      addEntry(members, entry, { path, offset, length: entry.size });
      at = Math.ceil(end / blockSize) * blockSize;
    }
  } finally {
    await file.close();
  }
}

/** Tell the members of an archive about one of its entries. */
export function addEntry(
  members: TarMembers,
  { type, path, linkTarget }: LayerEntry,
  member: { path: string; offset: number; length: number },
): void {
  const name = path.toString();
  if (type === "file") members.addFile(name, member);
  if ((type === "link" || type === "symlink") && linkTarget)
    members.addLink(name, linkTarget.toString(), type);
}

/**
 * Read the header at `at`, with its extensions.
 * @returns the entry and where its bytes begin, or undefined at the end
 */
async function readHeader(
  file: FileHandle,
  at: number,
  limits: Limits,
): Promise<{ entry: LayerEntry; offset: number } | undefined> {
  let found: LayerEntry | undefined;
  const reader = new TarReader(
    {
      entry: (entry) => {
        found = entry;
      },
      content: () => {},
      entryEnd: () => {},
    },
    limits,
  );
  for (let offset = at; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(blockSize), 0, blockSize, offset);
    reader.write(buffer.subarray(0, bytesRead));
    offset += bytesRead;
    if (found !== undefined) return { entry: found, offset };
    if (reader.ended) return undefined;
    if (bytesRead < blockSize) {
      reader.end();
      return undefined;
    }
  }
}
