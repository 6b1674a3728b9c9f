import {
  AT_FDCWD,
  close,
  fstatx,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openat,
  type Stat,
} from "@strata/linux";
import { readXattrs, type XattrForm } from "../xattrs.ts";
import { isDirectory, isRegular } from "./entries.ts";

/** A file of any type, held by a descriptor: directories and regular files for reading, all else as O_PATH. */
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
    return new OpenedEntry(openat(dirfd, name, O_NOFOLLOW | openFlags(stat)), stat, form);
  }

  /** Open the directory at `path`, which may be a symlink to one. */
  static openRoot(path: string, form: XattrForm): OpenedEntry {
    const fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
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

function openFlags(stat: Stat): number {
  if (isDirectory(stat)) return O_RDONLY | O_DIRECTORY;
  return isRegular(stat) ? O_RDONLY | O_NONBLOCK : O_PATH;
}
