import type { EntryType, LayerEntry } from "./entry.ts";
import type { Extensions } from "./extensions.ts";
import { badArchive, type TarHeader } from "./header.ts";

const types: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "link",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "dir",
  D: "dir",
  "6": "fifo",
};

/**
 * What a header and the extended headers in front of it say together. GNU's long names count more than PAX, as in Go,
 * and PAX counts more than the header. The size is left at 0.
 * @throws StrataError `InvalidArgument`
 */
export function buildEntry(
  { typeFlag, ...header }: TarHeader,
  extensions: Extensions,
  longName: Buffer | undefined,
  longLink: Buffer | undefined,
): LayerEntry {
  const type = types[typeFlag];
  if (type === undefined) throw badArchive(`an entry has the unknown type ${JSON.stringify(typeFlag)}`);
  const path = longName ?? extensions.path ?? header.name;
  const linkTarget = longLink ?? extensions.linkTarget ?? header.linkName;
  return {
    path,
    // Before POSIX, a directory was a file whose name ends with a slash.
    type: typeFlag === "\0" && path.at(-1) === 0x2f ? "dir" : type,
    mode: header.mode,
    uid: checkId(extensions.uid ?? header.uid),
    gid: checkId(extensions.gid ?? header.gid),
    size: 0,
    mtime: extensions.mtime ?? { sec: header.mtime, nsec: 0 },
    linkTarget: type === "link" || type === "symlink" ? linkTarget : undefined,
    rdev: type === "char" || type === "block" ? header.rdev : undefined,
    xattrs: extensions.xattrs,
  };
}

// The largest id means "unchanged" to chown(2).
const maxId = 0xffff_fffe;

function checkId(id: number): number {
  if (id < 0 || id > maxId) throw badArchive(`an entry has the impossible owner ${id}`);
  return id;
}
