import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { type Digest, digestOf, errnoCode, StrataError } from "@strata/core";
import type { Descriptor } from "../documents.ts";
import { blobPath } from "./paths.ts";

/** The size of a blob in bytes, or undefined if the store does not have it. */
export async function blobSize(root: string, digest: Digest): Promise<number | undefined> {
  try {
    return (await stat(blobPath(root, digest))).size;
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Open a blob: it can be read to its end, whatever becomes of it meanwhile.
 * @throws StrataError `Corrupt`, if it is gone or has another size
 */
export async function openBlob(
  root: string,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
): Promise<FileHandle> {
  let file: FileHandle | undefined;
  let isWhole = false;
  try {
    file = await open(blobPath(root, digest), "r");
    isWhole = (await file.stat()).size === size;
    if (isWhole) return file;
  } catch (error) {
    if (errnoCode(error) !== "ENOENT") throw error;
  } finally {
    if (!isWhole) await file?.close();
  }
  throw new StrataError("Corrupt", `blob ${digest} is missing or cut off; load or pull its image again`);
}

/**
 * A small blob (a manifest, a config), verified.
 * @param what - names it in errors: `config of image debian`
 * @throws StrataError `Corrupt`, if it is gone or its bytes are not what was stored
 */
export async function readBlob(root: string, digest: Digest, what: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(blobPath(root, digest));
  } catch (cause) {
    if (errnoCode(cause) !== "ENOENT") throw cause;
    throw new StrataError("Corrupt", `${what}: blob ${digest} is missing; load or pull the image again`, {
      cause,
    });
  }
  const actual = digestOf(bytes);
  if (actual === digest) return bytes;
  throw new StrataError(
    "Corrupt",
    `${what}: blob ${digest} is damaged (now ${actual}); load or pull the image again`,
  );
}
