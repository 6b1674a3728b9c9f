import { ftruncateSync, readFileSync, writeSync } from "node:fs";
import { copyTree, errnoCode } from "@strata/core";
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  close,
  DT_DIR,
  fchmodat,
  fchownat,
  getxattrat,
  linkat,
  listxattrat,
  mkdirat,
  mknodat,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  openat,
  readdir,
  removexattrat,
  renameat2,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  setxattrat,
  statx,
  statxOrUndefined,
  symlinkat,
  unlinkat,
  utimensat,
} from "@strata/linux";
import { directoryOf } from "./tree.ts";
import { namesChanged, type TreeStep } from "./tree-step.ts";

/**
 * Do a step to the tree at `root`.
 * @returns whether a directory that was to be renamed had to be copied
 */
export async function changeDisk(root: string, step: TreeStep): Promise<boolean> {
  const fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
  try {
    const directories = [...new Set(namesChanged(step).map(directoryOf))];
    const times = directories.map((path) => statx(fd, at(path)).mtime);
    const copied = await change(fd, root, step);
    directories.forEach((path, index) => {
      utimensat(fd, at(path), (step.quiet && times[index]) || step.now);
    });
    return copied;
  } finally {
    close(fd);
  }
}

/** Who owns what is made. */
export const caller = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

/** A path of the model for the *at calls, below an open root. */
function at(path: string): Buffer {
  return Buffer.from(path === "" ? "." : path, "latin1");
}

async function change(root: number, rootPath: string, step: TreeStep): Promise<boolean> {
  const path = at(step.path);
  switch (step.change) {
    case "make":
      remove(root, path);
      make(root, path, step);
      utimensat(root, path, step.now);
      break;
    case "overwrite":
      write(root, step, O_TRUNC, step.data);
      break;
    case "append":
      write(root, step, O_APPEND, step.data);
      break;
    case "truncate":
      write(root, step, 0, "", step.size);
      break;
    case "link":
      remove(root, at(step.to));
      linkat(root, path, root, at(step.to));
      break;
    case "copy":
      remove(root, at(step.to));
      copyFile(root, path, at(step.to));
      break;
    case "rename":
      return rename(root, rootPath, step.path, step.to);
    case "remove":
      remove(root, path);
      break;
    case "chmod":
      fchmodat(root, path, step.mode);
      break;
    case "chown":
      fchownat(root, path, step.uid, step.gid);
      break;
    case "utimes":
      utimensat(root, path, step.mtime);
      break;
    case "xattr":
      if (step.value === undefined) removexattrat(root, path, step.name);
      else setxattrat(root, path, step.name, Buffer.from(step.value, "latin1"));
      break;
  }
  return false;
}

const deviceTypes = { fifo: S_IFIFO, "character device": S_IFCHR, "block device": S_IFBLK };

function make(root: number, path: Buffer, step: TreeStep & { readonly change: "make" }): void {
  const { type, mode, data, rdev } = step;
  switch (type) {
    case "symlink":
      symlinkat(Buffer.from(data, "latin1"), root, path);
      break;
    case "directory":
      mkdirat(root, path, 0o700);
      break;
    case "file":
      withFile(root, path, O_WRONLY | O_CREAT | O_EXCL, (fd) => writeAll(fd, Buffer.from(data, "latin1")));
      break;
    default:
      mknodat(root, path, deviceTypes[type] | 0o600, rdev);
  }
  // A directory with setgid hands its group down.
  const { uid, gid } = statx(root, path);
  if (gid !== caller.gid) fchownat(root, path, uid, caller.gid);
  if (type !== "symlink") fchmodat(root, path, mode); // Whatever the umask.
}

function write(
  root: number,
  { path, now, quiet }: TreeStep,
  flags: number,
  data: string,
  size?: number,
): void {
  const { mtime } = statx(root, at(path));
  withFile(root, at(path), O_WRONLY | flags, (fd) => {
    writeAll(fd, Buffer.from(data, "latin1"));
    if (size !== undefined) ftruncateSync(fd, size);
  });
  utimensat(root, at(path), quiet ? mtime : now);
}

function withFile(root: number, path: Buffer, flags: number, use: (fd: number) => void): void {
  const fd = openat(root, path, flags | O_NOFOLLOW, 0o600);
  try {
    use(fd);
  } finally {
    close(fd);
  }
}

function writeAll(fd: number, data: Buffer): void {
  for (let done = 0; done < data.length; ) done += writeSync(fd, data, done);
}

/** As cp -a does with a regular file. */
function copyFile(root: number, path: Buffer, to: Buffer): void {
  const { mode, uid, gid, mtime } = statx(root, path);
  withFile(root, path, O_RDONLY, (from) => {
    withFile(root, to, O_WRONLY | O_CREAT | O_EXCL, (fd) => writeAll(fd, readFileSync(from)));
  });
  fchownat(root, to, uid, gid);
  fchmodat(root, to, mode & 0o7777);
  for (const name of listxattrat(root, path)) {
    const value = name.toString().startsWith("user.") ? getxattrat(root, path, name) : undefined;
    if (value !== undefined) setxattrat(root, to, name, value);
  }
  utimensat(root, to, mtime);
}

/** As mv -T does. */
async function rename(root: number, rootPath: string, from: string, to: string): Promise<boolean> {
  const [source, target] = [statx(root, at(from)), statxOrUndefined(root, at(to))];
  if (target?.ino === source.ino) {
    unlinkat(root, at(from));
    return false;
  }
  try {
    renameat2(root, at(from), root, at(to));
    return false;
  } catch (error) {
    if (errnoCode(error) !== "EXDEV") throw error;
    if ((source.mode & S_IFMT) !== S_IFDIR) throw error;
  }
  remove(root, at(to));
  // Not by cp(1), which leaves a copied directory the setgid bit that it got from the one it is in.
  await copyTree(`${rootPath}/${from}`, `${rootPath}/${to}`);
  remove(root, at(from));
  return true;
}

/** With all that is in it; it need not be there. */
function remove(root: number, path: Buffer): void {
  const stat = statxOrUndefined(root, path);
  if (stat === undefined) return;
  if ((stat.mode & S_IFMT) !== S_IFDIR) {
    unlinkat(root, path);
    return;
  }
  const fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    for (const { name, type } of readdir(fd)) {
      if (type === DT_DIR) remove(fd, name);
      else unlinkat(fd, name);
    }
  } finally {
    close(fd);
  }
  unlinkat(root, path, AT_REMOVEDIR);
}
