import { readlinkat, S_IFDIR, S_IFLNK, S_IFMT, statxOrUndefined } from "@strata/linux";
import { refused, shown } from "../apply/entry-path.ts";
import type { LowerEntry } from "../lower-view.ts";
import type { UnresolvedLink } from "../settle.ts";
import type { MergedDirectory, MergedPath } from "./merged-path.ts";

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
    const followed = next === "" || next === "." ? undefined : readSymlink(path.current, next);
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

/** Where a symlink in a merged directory points to; undefined, if it is something else. */
function readSymlink({ fd, below }: MergedDirectory, name: string): string | undefined {
  const bytes = Buffer.from(name, "latin1");
  const stat = fd === undefined ? undefined : statxOrUndefined(fd, bytes);
  const entry = fd === undefined || stat === undefined ? below?.lookup(bytes) : { dirfd: fd, stat };
  if (entry === undefined || (entry.stat.mode & S_IFMT) !== S_IFLNK) return undefined;
  return readlinkat(entry.dirfd, bytes).toString("latin1");
}
