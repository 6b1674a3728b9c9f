import { errnoCode } from "@strata/core";
import {
  close,
  linkat,
  mknodat,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  openat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  type Stat,
  statxOrUndefined,
  symlinkat,
} from "@strata/linux";
import { type Limits, limitExceeded } from "../limits.ts";
import { isWhiteoutDevice } from "../lower-view.ts";
import type { Unresolved } from "../settle.ts";
import type { LayerEntry } from "../tar/entry.ts";
import type { TarSink } from "../tar/tar-reader.ts";
import { AttributeWriter, creationMode } from "./attributes.ts";
import { Directories, type Directory } from "./directories.ts";
import { refused, shown, splitPath } from "./entry-path.ts";
import { FileContent } from "./file-content.ts";
import type { LayerForm } from "./layer-form.ts";
import { LayerTree } from "./layer-tree.ts";
import { type LinkTarget, openTarget } from "./link-target.ts";
import { OverlayForm } from "./overlay-form.ts";
import { PlainForm } from "./plain-form.ts";

const whiteoutPrefix = Buffer.from(".wh.");
const metadataPrefix = Buffer.from(".wh..wh.");
const opaqueName = Buffer.from(".wh..wh..opq");

export interface ApplierOptions {
  /** The directory to write into. */
  readonly dir: string;
  readonly format: "overlay" | "plain";
  /** It holds the tree of the layer below already. */
  readonly inherits: boolean;
  readonly ignoreOwnership: boolean;
  readonly limits: Limits;
}

/**
 * Writes the entries of a layer to a directory. Whatever an entry says, nothing outside the directory is touched.
 * Synchronous: made for a thread of its own.
 */
export class Applier implements TarSink {
  /** Entries seen so far, whiteouts included. */
  entries = 0;
  /** Bytes of the regular files seen so far, holes included. */
  contentBytes = 0;
  readonly #limits: Limits;
  readonly #ignoreOwnership: boolean;
  readonly #directories: Directories;
  readonly #form: LayerForm;
  readonly #attributes: AttributeWriter;
  readonly #tree: LayerTree;
  #path: Buffer = Buffer.alloc(0);
  #file: { readonly content: FileContent; readonly entry: LayerEntry } | undefined;

  constructor({ dir, format, inherits, ignoreOwnership, limits }: ApplierOptions) {
    this.#limits = limits;
    this.#ignoreOwnership = ignoreOwnership;
    this.#directories = new Directories(dir);
    this.#form = format === "overlay" ? new OverlayForm(this.#directories) : new PlainForm(this.#directories);
    this.#attributes = new AttributeWriter(this.#form.xattrForm, ignoreOwnership);
    this.#tree = new LayerTree(this.#directories, this.#form, this.#attributes, limits);
    this.#tree.open(inherits);
  }

  /** The path of the entry at hand, for messages. */
  get currentPath(): string {
    return shown(this.#path.toString("latin1"));
  }

  entry(entry: LayerEntry): void {
    this.#path = entry.path;
    this.#count(entry);
    const { parent, name } = splitPath(entry.path, this.#limits);
    if (name === undefined) this.#root(entry);
    else if (this.#isInMetadata(parent)) return;
    else if (startsWith(name, whiteoutPrefix)) this.#mark(parent, name);
    else this.#put(this.#tree.directory(parent), name, entry);
  }

  content(bytes: Buffer, position: number): void {
    this.#file?.content.write(bytes, position);
  }

  entryEnd(): void {
    if (this.#file === undefined) return;
    const { content, entry } = this.#file;
    this.#file = undefined;
    try {
      content.finish();
      this.#attributes.setFile(content.fd, entry);
    } finally {
      content.close();
    }
  }

  /** The archive has no more entries. @returns what must wait for the layers below to be known */
  finish(): Unresolved {
    this.#tree.finish();
    return this.#form.unresolved();
  }

  /** Give the descriptors back, after an error too. */
  close(): void {
    this.#file?.content.close();
    this.#file = undefined;
    this.#directories.close();
  }

  #count(entry: LayerEntry): void {
    this.entries++;
    if (this.entries > this.#limits.maxEntries) throw limitExceeded(this.#limits, "maxEntries");
    this.contentBytes += entry.size;
    if (this.contentBytes > this.#limits.maxBytes) throw limitExceeded(this.#limits, "maxBytes");
  }

  /** An entry for the root itself, which stays a directory. */
  #root(entry: LayerEntry): void {
    if (entry.type !== "dir")
      throw refused(entry.path.toString("latin1"), `it makes the root a ${entry.type}`);
    this.#directories.root.attributes = entry;
  }

  /** A name that means that something is gone. @see OCI image-spec, layer.md, "Whiteouts" */
  #mark(parent: string, name: Buffer): void {
    if (name.equals(opaqueName)) {
      this.#form.makeOpaque(this.#tree.directory(parent));
      return;
    }
    // What aufs kept in its layers.
    if (startsWith(name, metadataPrefix)) return;
    const hidden = name.toString("latin1", whiteoutPrefix.length);
    if (hidden === "" || hidden === "." || hidden === "..") {
      throw refused(`${parent}${name.toString("latin1")}`, "it is a whiteout of no name");
    }
    // Umoci also marks what was in a directory that this layer has made a file of.
    const directory = this.#tree.directoryUnlessFile(parent);
    if (directory !== undefined) this.#form.whiteout(directory, hidden);
  }

  #put(directory: Directory, name: Buffer, entry: LayerEntry): void {
    switch (entry.type) {
      case "file":
        this.#open(directory, name, entry);
        break;
      case "dir":
        this.#tree.makeDirectory(directory, name.toString("latin1"), entry);
        break;
      case "link":
        this.#link(directory, name, entry);
        break;
      case "symlink":
        this.#make(directory, name, entry, (fd) => symlinkat(entry.linkTarget ?? Buffer.alloc(0), fd, name));
        break;
      case "fifo":
        this.#mknod(directory, name, entry, S_IFIFO);
        break;
      case "block":
        this.#device(directory, name, entry, S_IFBLK);
        break;
      case "char":
        this.#device(directory, name, entry, S_IFCHR);
        break;
    }
  }

  #open(directory: Directory, name: Buffer, entry: LayerEntry): void {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = this.#create(directory, name, (dirfd) => openat(dirfd, name, flags, creationMode(entry.mode)));
    this.#file = { content: new FileContent(fd, entry.size), entry };
  }

  #device(directory: Directory, name: Buffer, entry: LayerEntry, type: number): void {
    // What overlayfs, and so docker's overlay2, takes for a whiteout.
    if (type === S_IFCHR && entry.rdev?.major === 0 && entry.rdev.minor === 0) {
      this.#form.whiteout(directory, name.toString("latin1"));
    } else if (!this.#ignoreOwnership) {
      this.#mknod(directory, name, entry, type);
    }
  }

  #mknod(directory: Directory, name: Buffer, entry: LayerEntry, type: number): void {
    const rdev = entry.rdev ?? { major: 0, minor: 0 };
    this.#make(directory, name, entry, (fd) => mknodat(fd, name, type | creationMode(entry.mode), rdev));
  }

  #make(directory: Directory, name: Buffer, entry: LayerEntry, make: (dirfd: number) => void): void {
    this.#create(directory, name, make);
    this.#attributes.setNew(this.#directories.fd(directory), name, entry.type, entry);
  }

  /** Make something at a name, after clearing the place if it is taken. */
  #create<T>(directory: Directory, name: Buffer, make: (dirfd: number) => T): T {
    directory.own?.add(name.toString("latin1"));
    try {
      return make(this.#directories.fd(directory));
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw error;
    }
    this.#tree.clear(directory, name.toString("latin1"));
    return make(this.#directories.fd(directory));
  }

  #link(directory: Directory, name: Buffer, entry: LayerEntry): void {
    const target = openTarget(this.#directories, entry, this.#limits);
    try {
      const below = this.#form.lowerTarget(target.path, target.stat);
      if (below !== undefined) {
        const { mode, uid, gid, mtime, xattrs } = entry;
        this.#create(directory, name, () =>
          this.#form.deferLink(directory, name.toString("latin1"), below, { mode, uid, gid, mtime, xattrs }),
        );
      } else {
        this.#linkTo(target, directory, name, entry);
      }
    } finally {
      if (target.dirfd !== undefined) close(target.dirfd);
    }
  }

  #linkTo(
    { dirfd, path, name: oldName, stat }: LinkTarget,
    directory: Directory,
    name: Buffer,
    entry: LayerEntry,
  ): void {
    if (stat === undefined || dirfd === undefined || !isLinkable(stat)) {
      throw refused(entry.path.toString("latin1"), `it is a hard link to ${shown(path)}, which is no file`);
    }
    const present = statxOrUndefined(this.#directories.fd(directory), name);
    // A name linked to itself: removing it first would lose the file.
    if (present?.ino !== stat.ino) this.#create(directory, name, (fd) => linkat(dirfd, oldName, fd, name));
    this.#attributes.setLinked(this.#directories.fd(directory), name, stat, entry);
  }

  /** Whether a path leads into what aufs kept in its layers. */
  #isInMetadata(parent: string): boolean {
    if (!parent.includes(".wh.")) return false;
    const marks = parent.split("/").filter((component) => component.startsWith(".wh."));
    if (marks.some((component) => component.startsWith(".wh..wh."))) return true;
    if (marks.length > 0) throw refused(this.#path.toString("latin1"), "it is inside of a whiteout");
    return false;
  }
}

function startsWith(name: Buffer, prefix: Buffer): boolean {
  return name[0] === prefix[0] && name.subarray(0, prefix.length).equals(prefix);
}

function isLinkable(stat: Stat): boolean {
  return (stat.mode & S_IFMT) !== S_IFDIR && !isWhiteoutDevice(stat);
}
