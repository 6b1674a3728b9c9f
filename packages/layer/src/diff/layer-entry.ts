import { readlinkat, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from "@strata/linux";
import type { EntryType, LayerEntry } from "../tar/entry.ts";
import { fileType, isDirectory, isRegular, isSymlink } from "./entries.ts";
import type { OpenedEntry } from "./opened-entry.ts";
import { whiteoutPrefix } from "./walk.ts";

const types: ReadonlyMap<number, EntryType> = new Map([
  [S_IFREG, "file"],
  [S_IFDIR, "dir"],
  [S_IFLNK, "symlink"],
  [S_IFCHR, "char"],
  [S_IFBLK, "block"],
  [S_IFIFO, "fifo"],
]);

/**
 * What an archive says of an open entry.
 * @param firstName - another name of the same file, which the archive has already; the entry becomes a link to it. A
 *   link says all of the file's metadata once more: docker changes the owner of links too, which clears setuid bits and
 *   file capabilities, and puts back what the link's own entry says.
 */
export function describeEntry(path: Buffer, opened: OpenedEntry, firstName: Buffer | undefined): LayerEntry {
  const { stat, fd } = opened;
  const type = types.get(fileType(stat));
  if (type === undefined) throw new TypeError(`no layer can hold a file of mode ${stat.mode.toString(8)}`);
  return {
    path: isDirectory(stat) ? directoryPath(path) : path,
    type: firstName === undefined ? type : "link",
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: isRegular(stat) && firstName === undefined ? stat.size : 0,
    mtime: stat.mtime,
    linkTarget: firstName ?? (isSymlink(stat) ? readlinkat(fd, "") : undefined),
    rdev: firstName === undefined && (type === "char" || type === "block") ? stat.rdev : undefined,
    xattrs: opened.xattrs(),
  };
}

function directoryPath(path: Buffer): Buffer {
  return path.length === 0 ? Buffer.from("./") : Buffer.concat([path, Buffer.from("/")]);
}

/** The entry that deletes `path` from the layers below. */
export function describeWhiteout(path: Buffer): LayerEntry {
  const nameStart = path.lastIndexOf("/") + 1;
  return {
    path: Buffer.concat([path.subarray(0, nameStart), Buffer.from(whiteoutPrefix), path.subarray(nameStart)]),
    type: "file",
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { sec: 0, nsec: 0 },
    linkTarget: undefined,
    rdev: undefined,
    xattrs: new Map(),
  };
}
