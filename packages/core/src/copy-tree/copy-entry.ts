import {
  close,
  mknodat,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  openat,
  readlinkat,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type Stat,
  symlinkat,
} from "@strata/linux";
import { copyAttributes, copyAttributesAt } from "./attributes.ts";
import { closeRead, openToRead } from "./closed-source.ts";
import { ContentCopier } from "./copy-content.ts";

/** A directory that is being copied, and its copy, both open. */
export interface DirectoryPair {
  readonly source: number;
  readonly copy: number;
}

/** Copies what is no directory. */
export class EntryCopier {
  readonly #contents = new ContentCopier();

  /** Copy what `stat` says of `name`, under the same name. Yields now and then. */
  *copy(directories: DirectoryPair, name: Buffer, stat: Stat): Generator<void, void> {
    const { source, copy } = directories;
    const type = stat.mode & S_IFMT;
    if (type === S_IFREG) {
      yield* this.#copyFile(directories, name, stat);
      return;
    }
    if (type === S_IFLNK) symlinkat(readlinkat(source, name), copy, name);
    else mknodat(copy, name, stat.mode, stat.rdev);
    copyAttributesAt(source, copy, name, stat);
  }

  *#copyFile(directories: DirectoryPair, name: Buffer, stat: Stat): Generator<void, void> {
    const source = openToRead(directories.source, name, O_NOFOLLOW, stat);
    try {
      // Until the attributes are set, an ordinary user must be able to write to it.
      const mode = (stat.mode & 0o777) | 0o600;
      const copy = openat(directories.copy, name, O_WRONLY | O_CREAT | O_EXCL, mode);
      try {
        yield* this.#contents.copy(source, copy, stat);
        copyAttributes(source, copy, stat);
      } finally {
        close(copy);
      }
    } finally {
      closeRead(source, stat);
    }
  }
}
