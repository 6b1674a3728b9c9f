import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errnoCode, StrataError } from "./errors.ts";

/**
 * Make a directory of mode 0700, and those above it that are not there. Node's own recursive mkdir would try for ever
 * below a directory that takes none (Node 20, `/proc`).
 * @throws StrataError `Unsupported`, if a directory above takes no others
 * @throws Error, of the system
 */
export function makeDirectories(path: string): void {
  if (tryMake(path) === undefined) return;
  const above = dirname(path);
  if (!existsSync(above)) {
    makeDirectories(above);
    makeDirectories(path);
    return;
  }
  // Another process may have made the one above only after the first try.
  const error = tryMake(path);
  if (error === undefined) return;
  const message = `${above} takes no directories; name one on a file system that keeps files`;
  throw new StrataError("Unsupported", message, { cause: error });
}

/** @returns the error, if the directory above is not there, or takes none */
function tryMake(path: string): unknown {
  try {
    mkdirSync(path, { mode: 0o700 });
    return undefined;
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    if (errnoCode(error) !== "ENOENT") throw error;
    return error;
  }
}
