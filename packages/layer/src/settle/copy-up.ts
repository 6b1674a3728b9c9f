import {
  close,
  copyFileRange,
  mknodat,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openat,
  readlinkat,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type Stat,
  symlinkat,
} from "@strata/linux";
import { type Attributes, type AttributeWriter, creationMode } from "../apply/attributes.ts";
import type { LowerEntry } from "../lower-view.ts";
import { readXattrs } from "../xattrs.ts";

/** The attributes of something in a lower layer. */
export function attributesBelow({ dirfd, name, stat }: LowerEntry): Attributes {
  const fd = openat(dirfd, name, O_PATH | O_NOFOLLOW);
  try {
    return attributesOf(fd, stat);
  } finally {
    close(fd);
  }
}

/** The attributes of an open inode of a lower layer. */
export function attributesOf(fd: number, { mode, uid, gid, mtime }: Stat): Attributes {
  return { mode: mode & 0o7777, uid, gid, mtime, xattrs: readXattrs(fd, "overlay") };
}

/** Copy what is no directory from a lower layer, with all its attributes. Nothing may stand at `name`. */
export function copyUp(entry: LowerEntry, dirfd: number, name: Buffer, writer: AttributeWriter): void {
  const attributes = attributesBelow(entry);
  const { mode, rdev } = entry.stat;
  const type = mode & S_IFMT;
  if (type === S_IFREG) {
    copyFile(entry, dirfd, name, writer, attributes);
  } else if (type === S_IFLNK) {
    symlinkat(readlinkat(entry.dirfd, entry.name), dirfd, name);
    writer.setNew(dirfd, name, "symlink", attributes);
  } else {
    mknodat(dirfd, name, type | creationMode(mode), rdev);
    writer.setNew(dirfd, name, "fifo", attributes);
  }
}

function copyFile(
  { dirfd: fromDir, name: fromName, stat }: LowerEntry,
  dirfd: number,
  name: Buffer,
  writer: AttributeWriter,
  attributes: Attributes,
): void {
  const from = openat(fromDir, fromName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const to = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, creationMode(attributes.mode));
    try {
      for (let done = 0; done < stat.size; ) {
        const copied = copyFileRange(from, done, to, done, stat.size - done);
        if (copied === 0) break;
        done += copied;
      }
      writer.setFile(to, attributes);
    } finally {
      close(to);
    }
  } finally {
    close(from);
  }
}
