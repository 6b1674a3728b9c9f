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
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (errnoCode(error) !== "ENOENT") throw error;
    const above = dirname(path);
    if (existsSync(above)) {
      const message = `${above} takes no directories; name one on a file system that keeps files`;
      throw new StrataError("Unsupported", message, { cause: error });
    }
    makeDirectories(above);
    makeDirectories(path);
  }
}
