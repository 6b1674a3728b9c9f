import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A directory with one small file in it. @returns `path` */
export function fillSmallTree(path: string, content: string): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "file"), `${content}\n`);
  return path;
}
