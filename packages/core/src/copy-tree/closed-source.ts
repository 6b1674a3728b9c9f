import {
  type Bytes,
  close,
  fchmod,
  fchmodat,
  O_RDONLY,
  openat,
  S_IFDIR,
  S_IFMT,
  type Stat,
} from "@strata/linux";
import { isRoot } from "./attributes.ts";

/**
 * Open a file or directory of a tree, also if its owner has closed it to himself: its mode is then another until
 * {@link closeRead}, since reading attributes and looking up names ask for permission again.
 */
export function openToRead(directory: number, name: Bytes, flags: number, stat: Stat): number {
  const closed = isClosed(stat);
  if (closed) fchmodat(directory, name, (stat.mode & 0o7777) | 0o500);
  try {
    return openat(directory, name, O_RDONLY | flags);
  } catch (error) {
    if (closed) fchmodat(directory, name, stat.mode & 0o7777);
    throw error;
  }
}

/** Close what {@link openToRead} opened. */
export function closeRead(fd: number, stat: Stat): void {
  try {
    if (isClosed(stat)) fchmod(fd, stat.mode & 0o7777);
  } finally {
    close(fd);
  }
}

function isClosed({ mode, uid }: Stat): boolean {
  const needed = (mode & S_IFMT) === S_IFDIR ? 0o500 : 0o400;
  return (mode & needed) !== needed && !isRoot() && uid === process.geteuid?.();
}
