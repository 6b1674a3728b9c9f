import {
  AT_FDCWD,
  close,
  type Dirent,
  fstatx,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  openat2,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  readdir,
  S_IFDIR,
  S_IFMT,
  statxOrUndefined,
} from "@strata/linux";
import type { CallOptions, Usage } from "./driver.ts";
import { errnoCode } from "./errors.ts";
import { inTurns } from "./turns.ts";

/** See the function of the same name in `on-demand.ts`. */
export async function treeUsage(path: string, options: CallOptions = {}): Promise<Usage> {
  return inTurns(measure(path), options);
}

interface Level {
  readonly fd: number;
  readonly entries: Iterator<Dirent>;
}

function* measure(path: string): Generator<void, Usage> {
  const root = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  let bytes = fstatx(root).blocks * 512;
  let inodes = 1;
  const seen = new Set<bigint>();
  const levels: Level[] = [enter(root)];
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      yield;
      const entry = level.entries.next();
      if (entry.done) {
        levels.pop();
        close(level.fd);
        continue;
      }
      const { name } = entry.value;
      const stat = statxOrUndefined(level.fd, name);
      if (stat === undefined || stat.mountRoot) continue;
      const isDirectory = (stat.mode & S_IFMT) === S_IFDIR;
      if (!isDirectory && stat.nlink > 1) {
        if (seen.has(stat.ino)) continue;
        seen.add(stat.ino);
      }
      bytes += stat.blocks * 512;
      inodes += 1;
      const below = isDirectory ? openIfAllowed(level.fd, name) : undefined;
      if (below !== undefined) levels.push(enter(below));
    }
    return { bytes, inodes };
  } finally {
    for (const { fd } of levels) close(fd);
  }
}

function enter(fd: number): Level {
  return { fd, entries: readdir(fd).values() };
}

function openIfAllowed(fd: number, name: Buffer): number | undefined {
  try {
    // With the dot, the directory must be one that can be searched too.
    const resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    return openat2(fd, Buffer.concat([name, slashDot]), { flags: O_RDONLY | O_DIRECTORY, resolve });
  } catch (error) {
    const code = errnoCode(error);
    if (code === "EACCES" || code === "ENOENT") return undefined;
    throw error;
  }
}
const slashDot = Buffer.from("/.");
