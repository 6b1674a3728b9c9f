import { errnoCode } from "@strata/core";
import {
  AT_REMOVEDIR,
  close,
  fchmodat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readdir,
  unlinkat,
} from "@strata/linux";

/**
 * Remove `name` from a directory, with all that is below it; nothing there is fine. Synchronous and by descriptors,
 * for the writing thread; `removeTree` of core is for everyone else.
 */
export function removeAt(dirfd: number, name: Buffer): void {
  try {
    unlinkat(dirfd, name);
  } catch (error) {
    const code = errnoCode(error);
    if (code === "ENOENT") return;
    if (code !== "EISDIR") throw error;
    emptyDirectory(dirfd, name);
    unlinkat(dirfd, name, AT_REMOVEDIR);
  }
}

function emptyDirectory(dirfd: number, name: Buffer): void {
  const fd = openClosed(dirfd, name);
  try {
    for (const entry of readdir(fd)) removeAt(fd, entry.name);
  } finally {
    close(fd);
  }
}

/** Its owner may have closed a directory to himself. */
function openClosed(dirfd: number, name: Buffer): number {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  try {
    fchmodat(dirfd, name, 0o700);
    return openat(dirfd, name, flags);
  } catch (error) {
    // Another's directory: root may read it as it is.
    if (errnoCode(error) !== "EPERM") throw error;
    return openat(dirfd, name, flags);
  }
}
