import { errnoCode } from "@strata/core";
import {
  close,
  fstatx,
  mknodat,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  openat,
  S_IFCHR,
  S_IFREG,
  type Stat,
  setxattr,
  statxOrUndefined,
} from "@strata/linux";
import { isWhiteoutDevice } from "../lower-view.ts";
import type { Unresolved, UnresolvedLink } from "../settle.ts";
import type { Attributes } from "./attributes.ts";
import { childPath, type Directories, type Directory } from "./directories.ts";
import type { LayerForm } from "./layer-form.ts";

/** A layer written as an upper directory of overlayfs, whether or not the layers below are known yet. */
export class OverlayForm implements LayerForm {
  readonly xattrForm = "overlay";
  readonly #directories: Directories;
  /** Directories that the layer below has not, or not any more: nothing is to be taken from it. */
  readonly #disinherited = new Set<Directory>();
  readonly #opaque = new Set<Directory>();
  readonly #whiteouts: string[] = [];
  /** By the inode that holds the place. */
  readonly #links = new Map<bigint, UnresolvedLink>();

  constructor(directories: Directories) {
    this.#directories = directories;
  }

  isOwn(_directory: Directory, _name: string, stat: Stat): boolean {
    return !isWhiteoutDevice(stat);
  }

  madeInstead(directory: Directory): void {
    this.makeOpaque(directory);
    this.#disinherited.add(directory);
  }

  whiteout(directory: Directory, name: string): void {
    const child = directory.children.get(name);
    if (child !== undefined) {
      this.madeInstead(child);
      return;
    }
    try {
      mknodat(this.#directories.fd(directory), Buffer.from(name, "latin1"), S_IFCHR, noDevice);
      this.#whiteouts.push(childPath(directory, name));
    } catch (error) {
      // This layer's own file, which hides what is below as well as a whiteout does.
      if (errnoCode(error) !== "EEXIST") throw error;
    }
  }

  makeOpaque(directory: Directory): void {
    this.#opaque.add(directory);
    // The kernel does not look for the mark on a root, see settleLayer.
    if (directory.parent !== undefined)
      setxattr(this.#directories.fd(directory), "trusted.overlay.opaque", opaque);
  }

  lowerTarget(target: string, stat: Stat | undefined): string | undefined {
    if (stat === undefined) return this.#isHidden(target) ? undefined : target;
    return isPlaceholder(stat) ? this.#links.get(stat.ino)?.target : undefined;
  }

  deferLink(directory: Directory, name: string, target: string, attributes: Attributes): void {
    const dirfd = this.#directories.fd(directory);
    const fd = openat(dirfd, Buffer.from(name, "latin1"), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0);
    const { ino } = fstatx(fd);
    close(fd);
    this.#links.set(ino, { path: childPath(directory, name), ino, target, attributes });
  }

  unresolved(): Unresolved {
    return {
      parents: this.#parents(),
      whiteouts: this.#whiteouts,
      links: [...this.#links.values()],
      opaqueRoot: this.#opaque.has(this.#directories.root),
    };
  }

  /** Whether this layer has already deleted a path of the layer below. */
  #isHidden(target: string): boolean {
    let directory: Directory | undefined = this.#directories.root;
    for (const name of target.split("/")) {
      if (this.#opaque.has(directory)) return true;
      const child: Directory | undefined = directory.children.get(name);
      if (child === undefined) return this.#isWhiteout(directory, name);
      directory = child;
    }
    return false;
  }

  #isWhiteout(directory: Directory, name: string): boolean {
    const stat = statxOrUndefined(this.#directories.fd(directory), Buffer.from(name, "latin1"));
    return stat !== undefined && isWhiteoutDevice(stat);
  }

  /** Directories without an entry, the root first. */
  #parents(): string[] {
    const paths: string[] = [];
    const stack = [this.#directories.root];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.attributes === undefined && !this.#disinherited.has(next)) paths.push(next.path);
      stack.push(...next.children.values());
    }
    return paths;
  }
}

/** Whether this is what holds the place of a deferred link: an empty file that nobody may read. */
export function isPlaceholder({ mode, size }: Stat): boolean {
  return mode === S_IFREG && size === 0;
}

const noDevice = { major: 0, minor: 0 };
const opaque = Buffer.from("y");
