import { errnoCode } from "@strata/core";
import {
  AT_FDCWD,
  type Bytes,
  close,
  fstatx,
  O_DIRECTORY,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openat,
  type Stat,
} from "@strata/linux";
import { readXattrs, type XattrForm } from "../xattrs.ts";
import { isDirectory, isRegular } from "./entries.ts";

/**
 * A file of any type, held by a descriptor: directories and regular files for reading, all else as O_PATH. Reading leaves
 * no access times behind, which the next who asks btrfs for changes would have to wait for on their way to disk.
 */
export class OpenedEntry implements Disposable {
  readonly fd: number;
  /** What was known of it before it was opened. */
  readonly stat: Stat;
  readonly #form: XattrForm;

  private constructor(fd: number, stat: Stat, form: XattrForm) {
    this.fd = fd;
    this.stat = stat;
    this.#form = form;
  }

  /**
   * Open `name` as what `stat` says it is. Never follows a symlink, never waits for a FIFO that has taken a file's
   * place, and has no side effects on devices.
   */
  static open(dirfd: number, name: Buffer, stat: Stat, form: XattrForm): OpenedEntry {
    return new OpenedEntry(openQuietly(dirfd, name, O_NOFOLLOW | openFlags(stat)), stat, form);
  }

  /** Open the directory at `path`, which may be a symlink to one. */
  static openRoot(path: string, form: XattrForm): OpenedEntry {
    const fd = openQuietly(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    return new OpenedEntry(fd, fstatx(fd), form);
  }

  /** The extended attributes by name, a `latin1` string. */
  xattrs(): ReadonlyMap<string, Buffer> {
    return readXattrs(this.fd, this.#form);
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** Without a mark of access, where the file is this user's, or this is root. */
function openQuietly(dirfd: number, name: Bytes, flags: number): number {
  try {
    return openat(dirfd, name, flags | O_NOATIME);
  } catch (error) {
    if (errnoCode(error) !== "EPERM") throw error;
    return openat(dirfd, name, flags);
  }
}

function openFlags(stat: Stat): number {
  if (isDirectory(stat)) return O_RDONLY | O_DIRECTORY;
  return isRegular(stat) ? O_RDONLY | O_NONBLOCK : O_PATH;
}
