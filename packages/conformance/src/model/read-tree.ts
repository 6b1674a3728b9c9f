import { readFileSync } from "node:fs";
import { errnoCode } from "@strata/core";
import {
  AT_FDCWD,
  close,
  getxattrat,
  listxattrat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readdir,
  readlinkat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  statx,
} from "@strata/linux";
import { type FileNode, type FileType, joinPath, Tree } from "./tree.ts";

/** A tree as it is on disk, whole, with every name, byte and attribute. */
export function readTree(root: string): Tree {
  const names = new Map<string, number>();
  const files = new Map<number, FileNode>();
  const ids = new Map<string, number>();
  const visit = (dirfd: number, name: Buffer, path: string): void => {
    const stat = statx(dirfd, name);
    const type = types.get(stat.mode & S_IFMT);
    if (type === undefined) throw new Error(`/${path} is of a type that the model does not know`);
    const key = `${stat.dev.major}:${stat.dev.minor}:${stat.ino}`;
    // Whatever their numbers say, directories have one name.
    const known = type === "directory" ? undefined : ids.get(key);
    const id = known ?? files.size;
    names.set(path, id);
    if (known !== undefined) return;
    ids.set(key, id);
    const data =
      type === "symlink"
        ? readlinkat(dirfd, name).toString("latin1")
        : type === "file"
          ? readFile(dirfd, name)
          : "";
    const { uid, gid, mtime, rdev } = stat;
    files.set(id, {
      type,
      mode: stat.mode & 0o7777,
      uid,
      gid,
      mtime,
      data,
      rdev,
      xattrs: readXattrs(dirfd, name),
    });
    if (type !== "directory") return;
    const fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      for (const entry of readdir(fd)) visit(fd, entry.name, joinPath(path, entry.name.toString("latin1")));
    } finally {
      close(fd);
    }
  };
  visit(AT_FDCWD, Buffer.from(root), "");
  return new Tree(names, files);
}

const types: ReadonlyMap<number, FileType> = new Map([
  [S_IFREG, "file"],
  [S_IFDIR, "directory"],
  [S_IFLNK, "symlink"],
  [S_IFIFO, "fifo"],
  [S_IFCHR, "character device"],
  [S_IFBLK, "block device"],
]);

function readFile(dirfd: number, name: Buffer): string {
  const fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW);
  try {
    return readFileSync(fd, "latin1");
  } finally {
    close(fd);
  }
}

function readXattrs(dirfd: number, name: Buffer): Map<string, string> {
  const xattrs = new Map<string, string>();
  for (const bytes of listXattrs(dirfd, name)) {
    const attribute = bytes.toString("latin1");
    // The host's own label.
    if (attribute === "security.selinux") continue;
    xattrs.set(attribute, getxattrat(dirfd, name, bytes)?.toString("latin1") ?? "");
  }
  return xattrs;
}

function listXattrs(dirfd: number, name: Buffer): Buffer[] {
  try {
    return listxattrat(dirfd, name);
  } catch (error) {
    if (errnoCode(error) === "ENOTSUP") return [];
    throw error;
  }
}
