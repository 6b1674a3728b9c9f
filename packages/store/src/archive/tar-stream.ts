import { type FileHandle, open } from "node:fs/promises";
import { defaultLimits, type LayerEntry, type Limits, limitExceeded, TarReader } from "@strata/layer";
import { decompress } from "../streams/decompress.ts";
import { headerError, TarMembers } from "./archive.ts";
import { addEntry } from "./tar-file.ts";

/**
 * Write the members of a tar archive that can be read only once, compressed or not, to files as they come.
 * @param what - names the archive in errors
 * @param newFile - gives paths for the files
 * @throws StrataError `InvalidArgument`, if it is not a tar archive, is cut off, or is beyond a limit; `Corrupt`, if
 *   the compressed bytes are damaged
 */
export async function spoolTarStream(
  input: AsyncIterable<Uint8Array>,
  what: string,
  newFile: () => string,
  { limits, signal }: { limits?: Partial<Limits>; signal?: AbortSignal } = {},
): Promise<TarMembers> {
  const allLimits = { ...defaultLimits, ...limits };
  const members = new TarMembers(what, true);
  const { bytes } = await decompress(input, allLimits);
  const steps: (() => Promise<void>)[] = [];
  await using spool = new Spool(members, newFile);
  let count = 0;
  const reader = new TarReader(
    {
      // The reader is synchronous: what it finds in a chunk is written before it gets the next.
      entry: (entry) => {
        count += 1;
        if (count > allLimits.maxEntries) throw limitExceeded(allLimits, "maxEntries");
        steps.push(() => spool.begin(entry));
      },
      content: (piece, position) => void steps.push(() => spool.write(piece, position)),
      entryEnd: () => void steps.push(() => spool.end()),
    },
    allLimits,
  );
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      for (const step of steps.splice(0)) await step();
    }
    reader.end();
  } catch (error) {
    throw headerError(members, error);
  }
  return members;
}

class Spool implements AsyncDisposable {
  readonly #members: TarMembers;
  readonly #newFile: () => string;
  #file: FileHandle | undefined;

  constructor(members: TarMembers, newFile: () => string) {
    this.#members = members;
    this.#newFile = newFile;
  }

  async begin(entry: LayerEntry): Promise<void> {
    const path = this.#newFile();
    addEntry(this.#members, entry, { path, offset: 0, length: entry.size });
    if (entry.type !== "file") return;
    this.#file = await open(path, "wx", 0o600);
    await this.#file.truncate(entry.size);
  }

  async write(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const written = await this.#file?.write(bytes, done, bytes.length - done, position + done);
      done += written?.bytesWritten ?? bytes.length;
    }
  }

  async end(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
