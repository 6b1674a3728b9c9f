import {
  AT_FDCWD,
  close,
  DT_DIR,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readdir,
  readlinkat,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
} from "@strata/linux";
import { refused, shown } from "../apply/entry-path.ts";
import type { LowerEntry } from "../lower-view.ts";
import type { UnresolvedLink } from "../settle.ts";
import type { MergedPath } from "./merged-path.ts";

const maxSymlinks = 40;

/**
 * Find the file of a lower layer that a hard link leads to, and leave `path` at the directory that it is in. Symlinks
 * on the way are followed within the root, the layer's own and those below; one at the end is the target itself.
 * @throws StrataError `InvalidArgument`, if there is no such file below
 */
export function findBelow(path: MergedPath, { path: link, target }: UnresolvedLink): LowerEntry {
  const missing = () => refused(link, `it is a hard link to ${shown(target)}, which is no file`);
  path.goTo([]);
  const ahead = target.split("/");
  const name = Buffer.from(ahead.pop() ?? "", "latin1");
  let symlinks = 0;
  for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
    const followed = next === "" || next === "." ? undefined : readSymlink(path, next);
    if (followed !== undefined) {
      if (++symlinks > maxSymlinks) throw missing();
      if (followed.startsWith("/")) path.goTo([]);
      ahead.unshift(...followed.split("/"));
    } else if (next === "..") {
      path.up();
    } else if (next !== "" && next !== "." && !path.down(next)) {
      throw missing();
    }
  }
  const entry = path.current.below?.lookup(name);
  if (entry === undefined || (entry.stat.mode & S_IFMT) === S_IFDIR) throw missing();
  return entry;
}

/** Where a symlink in the current directory points to; undefined, if it is something else. */
function readSymlink(path: MergedPath, name: string): string | undefined {
  const bytes = Buffer.from(name, "latin1");
  const { fd, below } = path.current;
  const stat = path.statOwn(bytes);
  const entry = fd === undefined || stat === undefined ? below?.lookup(bytes) : { dirfd: fd, stat };
  if (entry === undefined || (entry.stat.mode & S_IFMT) !== S_IFLNK) return undefined;
  return readlinkat(entry.dirfd, bytes).toString("latin1");
}

/**
 * The paths of a file that {@link findBelow} found in the directory where `path` stands: that one and, if the file has
 * several names in its layer, the others. Cost: then a walk through the layers, with no system call a file.
 */
export function* pathsOf(
  { name, stat }: LowerEntry,
  path: MergedPath,
  lowers: readonly string[],
): Generator<string> {
  yield [...path.components, name.toString("latin1")].join("/");
  if (stat.nlink === 1) return;
  for (const lower of lowers) {
    const fd = openat(AT_FDCWD, lower, O_RDONLY | O_DIRECTORY);
    yield* pathsIn(fd, "", stat.ino);
  }
}

function* pathsIn(fd: number, prefix: string, ino: bigint): Generator<string> {
  try {
    for (const entry of readdir(fd)) {
      const path = prefix + entry.name.toString("latin1");
      if (entry.ino === ino && entry.type !== DT_DIR) yield path;
      if (entry.type === DT_DIR) {
        yield* pathsIn(openat(fd, entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), `${path}/`, ino);
      }
    }
  } finally {
    close(fd);
  }
}
