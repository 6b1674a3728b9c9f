import { stat } from "node:fs/promises";
import { join } from "node:path";
import { errnoCode } from "@strata/core";
import { type Archive, type Member, memberName } from "./archive.ts";

/** A directory that holds an OCI image layout. Links in it are its owner's business, and are followed. */
export function openDirectory(path: string): Archive {
  return {
    what: path,
    staged: false,
    find: (name) => findFile(join(path, memberName(name, path))),
  };
}

async function findFile(path: string): Promise<Member | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { path, offset: 0, length: found.size } : undefined;
  } catch (error) {
    if (errnoCode(error) === "ENOENT" || errnoCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
