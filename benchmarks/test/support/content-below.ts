import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Of all regular files in a directory and below it, in bytes. A daemon may remove some meanwhile. */
export function contentBelow(directory: string): number {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
