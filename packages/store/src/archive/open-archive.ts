import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { inContext } from "../in-context.ts";
import type { IngestOptions } from "../ingest/layer-input.ts";
import type { Staging } from "../ingest/staging.ts";
import { abortable } from "../streams/abortable.ts";
import { compressionOf } from "../streams/range.ts";
import { type Archive, notAnArchive, type TarMembers } from "./archive.ts";
import { openDirectory } from "./directory.ts";
import { openTarFile } from "./tar-file.ts";
import { spoolTarStream } from "./tar-stream.ts";

/**
 * Open an image archive: a directory, an uncompressed file, which are read where they are, or anything else, which is
 * written to the staging directory first.
 * @throws StrataError `InvalidArgument`, if it is no archive; `NotFound`, if there is no such file
 */
export async function openArchive(
  source: string | Readable,
  staging: Staging,
  options: IngestOptions,
): Promise<Archive> {
  const what = typeof source === "string" ? source : "standard input";
  const { signal } = options;
  const spool = (bytes: AsyncIterable<Uint8Array>): Promise<TarMembers> =>
    spoolTarStream(abortable(bytes, signal), what, () => staging.newFile(), options);
  return await inContext(what, signal, async () => {
    if (typeof source !== "string") return notEmpty(await spool(source));
    const file = await stat(source);
    if (file.isDirectory()) return openDirectory(source);
    const seekable = file.isFile() && (await compressionOf({ path: source })) === "none";
    return notEmpty(seekable ? await openTarFile(source, options) : await spool(createReadStream(source)));
  });
}

function notEmpty(members: TarMembers): TarMembers {
  if (members.size === 0) throw notAnArchive("it is empty");
  return members;
}
