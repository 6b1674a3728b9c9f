import { errnoCode } from "@strata/core";
import {
  fchmodat,
  getxattrat,
  mkdirat,
  readlinkat,
  removexattrat,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  type Stat,
  setxattrat,
  statx,
  statxOrUndefined,
  utimensat,
} from "@strata/linux";
import type { Limits } from "../limits.ts";
import { type Attributes, type AttributeWriter, creationMode, defaultAttributes } from "./attributes.ts";
import type { Directories, Directory, KeptAttributes } from "./directories.ts";
import { cleanPath, refused } from "./entry-path.ts";
import type { LayerForm } from "./layer-form.ts";
import { removeAt } from "./remove-at.ts";

const S_ISGID = 0o2000;
const maxSymlinks = 40;
const maxCachedPaths = 10_000;
const defaultAcl = "system.posix_acl_default";

/**
 * The tree being written: finds and makes the directories that entries are in, and clears their places.
 *
 * A path is walked name by name, each in the directory before it and without following symlinks; a symlink of this
 * layer's own is then followed within the root. One of the layer below never is: an entry below its path replaces it
 * by a directory, as in docker.
 */
export class LayerTree {
  readonly #directories: Directories;
  readonly #form: LayerForm;
  readonly #attributes: AttributeWriter;
  readonly #limits: Limits;
  /** By path as it stands in the archive. */
  readonly #resolved = new Map<string, Directory>();

  constructor(directories: Directories, form: LayerForm, attributes: AttributeWriter, limits: Limits) {
    this.#directories = directories;
    this.#form = form;
    this.#attributes = attributes;
    this.#limits = limits;
  }

  /** Begin. With `inherits`, the root already has the tree of the layer below in it. */
  open(inherits: boolean): void {
    const { root } = this.#directories;
    const fd = this.#directories.fd(root);
    const kept = this.#quieten(fd, root.name, statx(fd, root.name));
    if (!inherits) return;
    root.kept = kept;
    root.own = new Set();
  }

  /**
   * The directory at a path of the archive; what is missing of it is made.
   * @throws StrataError `InvalidArgument`, if the path leads out of the layer or over a file of this layer
   */
  directory(path: string): Directory {
    const follow: Following = { left: maxSymlinks, path };
    const directory = this.#find(follow);
    if (directory !== undefined) return directory;
    const file = JSON.stringify(follow.file);
    throw refused(path, `${file} in it is a file of the same layer, not a directory`);
  }

  /** As {@link directory}, but undefined if the path leads over a file of this layer: nothing can be below that. */
  directoryUnlessFile(path: string): Directory | undefined {
    return this.#find({ left: maxSymlinks, path });
  }

  /** An entry says that `name` is a directory: make it one, if it is not, and keep what is in it, if it is. */
  makeDirectory(directory: Directory, name: string, attributes: Attributes): void {
    const made =
      directory.children.get(name) ??
      this.#inherited(directory, name) ??
      this.#make(directory, name, attributes.mode);
    made.attributes = attributes;
  }

  /** Remove whatever is at `name`, be it this layer's own: a later entry replaces an earlier one. */
  clear(directory: Directory, name: string): void {
    removeAt(this.#directories.fd(directory), Buffer.from(name, "latin1"));
    this.#directories.forget(directory, name);
    // Paths may have been resolved through what was a directory or a symlink.
    this.#resolved.clear();
  }

  /** Set what was put off until nothing is written into a directory any more: its attributes. */
  finish(): void {
    this.#finish(this.#directories.root);
  }

  #find(follow: Following): Directory | undefined {
    const { path } = follow;
    const known = this.#resolved.get(path);
    if (known !== undefined) return known;
    const components = path === "" ? [] : cleanPath(path, this.#limits);
    const directory = this.#walk(this.#directories.root, components, follow);
    if (directory === undefined) return undefined;
    if (this.#resolved.size >= maxCachedPaths) this.#resolved.clear();
    this.#resolved.set(path, directory);
    return directory;
  }

  #walk(from: Directory, components: readonly string[], follow: Following): Directory | undefined {
    let directory: Directory | undefined = from;
    for (const component of components) {
      if (directory === undefined) return undefined;
      if (component === "..") directory = directory.parent ?? directory;
      else if (component !== "" && component !== ".") directory = this.#step(directory, component, follow);
    }
    return directory;
  }

  #step(directory: Directory, name: string, follow: Following): Directory | undefined {
    const known = directory.children.get(name) ?? this.#inherited(directory, name);
    if (known !== undefined) return known;
    try {
      return this.#mkdir(directory, name, defaultAttributes.mode);
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw error;
    }
    const fd = this.#directories.fd(directory);
    const bytes = Buffer.from(name, "latin1");
    const stat = statx(fd, bytes);
    if (!this.#form.isOwn(directory, name, stat))
      return this.#replace(directory, name, defaultAttributes.mode);
    if ((stat.mode & S_IFMT) !== S_IFLNK) {
      follow.file = name;
      return undefined;
    }
    if (follow.left-- === 0) throw refused(follow.path, "it goes through too many symlinks");
    const target = readlinkat(fd, bytes).toString("latin1");
    const start = target.startsWith("/") ? this.#directories.root : directory;
    return this.#walk(start, target.split("/"), follow);
  }

  #make(directory: Directory, name: string, mode: number): Directory {
    try {
      return this.#mkdir(directory, name, mode);
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw error;
      return this.#replace(directory, name, mode);
    }
  }

  #replace(directory: Directory, name: string, mode: number): Directory {
    this.clear(directory, name);
    const made = this.#mkdir(directory, name, mode);
    this.#form.madeInstead(made);
    return made;
  }

  #mkdir(directory: Directory, name: string, mode: number): Directory {
    // While it is being filled, its owner must be able to, and nobody in a setgid directory of his.
    const madeWith = (mode & 0o700) === 0o700 ? creationMode(mode) : 0o700;
    mkdirat(this.#directories.fd(directory), Buffer.from(name, "latin1"), madeWith);
    return this.#directories.add(directory, name, { madeWith });
  }

  /** The directory of this name, if the layer below has one here. */
  #inherited(directory: Directory, name: string): Directory | undefined {
    if (directory.own === undefined || directory.own.has(name)) return undefined;
    const fd = this.#directories.fd(directory);
    const bytes = Buffer.from(name, "latin1");
    const stat = statxOrUndefined(fd, bytes);
    if (stat === undefined || (stat.mode & S_IFMT) !== S_IFDIR) return undefined;
    const kept = this.#quieten(fd, bytes, stat);
    return this.#directories.add(directory, name, { kept, own: new Set() });
  }

  /**
   * Keep an existing directory from passing on to new files what they are not to have, its group (setgid) or its
   * default ACL, and from being closed to its own owner. What is taken away comes back at the end.
   */
  #quieten(dirfd: number, name: Buffer, { mode, mtime }: Stat): KeptAttributes {
    const changed = (mode & 0o700) !== 0o700 || (mode & S_ISGID) !== 0;
    if (changed) fchmodat(dirfd, name, creationMode(mode) | 0o700);
    const acl = readDefaultAcl(dirfd, name);
    if (acl !== undefined) removexattrat(dirfd, name, defaultAcl);
    return { mtime, mode: changed ? mode & 0o7777 : undefined, defaultAcl: acl };
  }

  #finish(directory: Directory): void {
    // Children first: a directory may be closed, and then its children cannot be reached.
    for (const child of directory.children.values()) this.#finish(child);
    const dirfd = this.#directories.holder(directory);
    const { name, kept, madeWith } = directory;
    if (directory.attributes === undefined && kept !== undefined) {
      if (kept.mode !== undefined) fchmodat(dirfd, name, kept.mode);
      if (kept.defaultAcl !== undefined) setxattrat(dirfd, name, defaultAcl, kept.defaultAcl);
      utimensat(dirfd, name, kept.mtime);
      return;
    }
    const attributes = directory.attributes ?? defaultAttributes;
    if (madeWith === undefined) this.#attributes.replaceDirectory(dirfd, name, attributes);
    else this.#attributes.setNew(dirfd, name, "dir", attributes, madeWith);
  }
}

/** What is left of the walk along one path. */
interface Following {
  left: number;
  readonly path: string;
  /** The name that ended it: a file of this layer. */
  file?: string;
}

function readDefaultAcl(dirfd: number, name: Buffer): Buffer | undefined {
  try {
    return getxattrat(dirfd, name, defaultAcl);
  } catch (error) {
    if (errnoCode(error) === "ENOTSUP") return undefined;
    throw error;
  }
}
