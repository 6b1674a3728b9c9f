import {
  AT_FDCWD,
  close,
  O_DIRECTORY,
  O_PATH,
  openat,
  openat2,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
} from "@strata/linux";
import type { Attributes } from "./attributes.ts";

/** A directory that the layer has made, or has made or removed something in. */
export interface Directory {
  /** From the layer's root, without symlinks; empty for the root. */
  readonly path: string;
  readonly parent: Directory | undefined;
  /** In its parent; `.` for the root. */
  readonly name: Buffer;
  readonly children: Map<string, Directory>;
  /**
   * The mode it was made with; undefined, if it was there before this layer and so may have attributes that the layer
   * does not mention.
   */
  readonly madeWith: number | undefined;
  /** What the layer's own entry for it says; undefined for a parent that has none. */
  attributes: Attributes | undefined;
  /** What to put back at the end, if the layer has no entry for it: it is that of the layer below. */
  kept: KeptAttributes | undefined;
  /**
   * The names in it that are this layer's, beside {@link children}, if it may hold names of the layer below as well;
   * undefined, if all are this layer's.
   */
  own: Set<string> | undefined;
}

/** Attributes of a directory of the layer below which writing into it changes. */
export interface KeptAttributes {
  readonly mtime: { readonly sec: number; readonly nsec: number };
  /** If it was changed meanwhile. */
  readonly mode: number | undefined;
  /** The xattr `system.posix_acl_default`, if it was taken off meanwhile. */
  readonly defaultAcl: Buffer | undefined;
}

/** A directory that was just made, or found in the tree of the layer below. */
export type NewDirectory =
  | { readonly madeWith: number }
  | { readonly kept: KeptAttributes; readonly own: Set<string> };

// Archives go through a tree in order, so few directories are in use at a time.
const maxOpen = 96;

/**
 * The directories of the tree that is being written, each opened when it is needed and kept open while it may be
 * needed again. The kernel confines every one of them: it is opened from the root's descriptor with RESOLVE_IN_ROOT,
 * and through no symlink, so a tree that is changed under our hands leads nowhere else either.
 * @see openat2(2)
 */
export class Directories {
  readonly root: Directory;
  readonly #rootFd: number;
  /** The least recently used first. */
  readonly #open = new Map<Directory, number>();
  #latest: Directory | undefined;
  #latestFd = -1;

  constructor(path: string) {
    this.#rootFd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY);
    this.root = newDirectory(undefined, ".");
  }

  /** A descriptor (O_PATH) of a directory, valid until some others were asked for. */
  fd(directory: Directory): number {
    if (directory === this.#latest) return this.#latestFd;
    const fd = directory.parent === undefined ? this.#rootFd : this.#reopen(directory);
    this.#latest = directory;
    this.#latestFd = fd;
    return fd;
  }

  /** Add a directory that was just made or found in `parent`. */
  add(parent: Directory, name: string, origin: NewDirectory): Directory {
    const directory = newDirectory(parent, name, origin);
    parent.children.set(name, directory);
    return directory;
  }

  /** Forget a directory that was removed, and all below it. */
  forget(parent: Directory, name: string): void {
    const directory = parent.children.get(name);
    if (directory === undefined) return;
    parent.children.delete(name);
    const stack = [directory];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      this.#release(next);
      stack.push(...next.children.values());
    }
  }

  /** Where its attributes are set: the directory that it is in, or for the root itself, whose name is `.`. */
  holder(directory: Directory): number {
    return this.fd(directory.parent ?? directory);
  }

  close(): void {
    for (const fd of this.#open.values()) close(fd);
    this.#open.clear();
    close(this.#rootFd);
  }

  #reopen(directory: Directory): number {
    const open = this.#open.get(directory);
    if (open !== undefined) {
      this.#open.delete(directory);
      this.#open.set(directory, open);
      return open;
    }
    const [oldest] = this.#open.keys();
    if (this.#open.size >= maxOpen && oldest !== undefined) this.#release(oldest);
    const fd = openat2(this.#rootFd, Buffer.from(directory.path, "latin1"), {
      flags: O_PATH | O_DIRECTORY,
      resolve: RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
    });
    this.#open.set(directory, fd);
    return fd;
  }

  #release(directory: Directory): void {
    if (directory === this.#latest) this.#latest = undefined;
    const fd = this.#open.get(directory);
    if (fd === undefined) return;
    this.#open.delete(directory);
    close(fd);
  }
}

function newDirectory(parent: Directory | undefined, name: string, origin?: NewDirectory): Directory {
  return {
    path: parent === undefined ? "" : childPath(parent, name),
    parent,
    name: Buffer.from(name, "latin1"),
    children: new Map(),
    madeWith: undefined,
    attributes: undefined,
    kept: undefined,
    own: undefined,
    ...origin,
  };
}

/** The path of `name` in a directory. */
export function childPath({ path }: Directory, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}
