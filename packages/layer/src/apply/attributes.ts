import { readFileSync } from "node:fs";
import { errnoCode, StrataError } from "@strata/core";
import {
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  futimens,
  listxattrat,
  removexattrat,
  S_IFLNK,
  S_IFMT,
  type Stat,
  setxattr,
  setxattrat,
  type Timespec,
  utimensat,
} from "@strata/linux";
import type { EntryType } from "../tar/entry.ts";
import { isHostXattr, ownXattrName, storedXattrName, type XattrForm } from "../xattrs.ts";

/** What an entry says of its inode beside type and content. */
export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timespec;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Those of a directory that the layer has no entry for and that has nothing below it to take them from. */
export const defaultAttributes: Attributes = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { sec: 0, nsec: 0 },
  xattrs: new Map(),
};

/**
 * The mode to make a file with: without setuid, setgid and sticky bits, which a change of the owner or of the content
 * would take off again.
 */
export function creationMode(mode: number): number {
  return mode & 0o777;
}

/**
 * Puts attributes on inodes, with as few calls as the process's own user and umask allow.
 *
 * The umask is taken into account rather than changed: it belongs to the whole process, and what else that is doing
 * must not begin to make files for everyone to write.
 */
export class AttributeWriter {
  readonly #form: XattrForm;
  readonly #ignoreOwnership: boolean;
  readonly #uid = process.geteuid?.() ?? 0;
  readonly #gid = process.getegid?.() ?? 0;
  readonly #umask = readUmask();

  constructor(form: XattrForm, ignoreOwnership: boolean) {
    this.#form = form;
    this.#ignoreOwnership = ignoreOwnership;
  }

  /** Of a regular file just made with {@link creationMode}, by its descriptor, when its content is whole. */
  setFile(fd: number, attributes: Attributes): void {
    const { mode, uid, gid, mtime, xattrs } = attributes;
    if (!this.#isOwn(uid, gid)) fchown(fd, uid, gid);
    if (this.#needsChmod(mode, creationMode(mode))) fchmod(fd, mode);
    for (const [name, value] of xattrs) {
      if (this.#keeps(name, "file")) this.#set(name, () => setxattr(fd, this.#stored(name), value));
    }
    futimens(fd, mtime);
  }

  /** Of anything else just made with the mode `madeWith`. Never follows a symlink. */
  setNew(
    dirfd: number,
    name: Buffer,
    type: EntryType,
    attributes: Attributes,
    madeWith = creationMode(attributes.mode),
  ): void {
    const { mode, uid, gid } = attributes;
    if (!this.#isOwn(uid, gid)) fchownat(dirfd, name, uid, gid);
    if (type !== "symlink" && this.#needsChmod(mode, madeWith)) fchmodat(dirfd, name, mode);
    this.#setRest(dirfd, name, type, attributes);
  }

  /** Of a directory that had others before: all of these go. */
  replaceDirectory(dirfd: number, name: Buffer, attributes: Attributes): void {
    const { mode, uid, gid, xattrs } = attributes;
    for (const stored of listNames(dirfd, name)) {
      const own = ownXattrName(stored.toString("latin1"), this.#form);
      if (own !== undefined && !xattrs.has(own)) removexattrat(dirfd, name, stored);
    }
    if (!this.#ignoreOwnership) fchownat(dirfd, name, uid, gid);
    fchmodat(dirfd, name, mode);
    this.#setRest(dirfd, name, "dir", attributes);
  }

  /**
   * Of an inode that an entry of type `link` gave another name: as in docker, what that entry says applies to the inode
   * under all its names. Only what differs is set, since a change of the owner takes file capabilities off.
   */
  setLinked(dirfd: number, name: Buffer, { mode, uid, gid, mtime }: Stat, entry: Attributes): void {
    const type = (mode & S_IFMT) === S_IFLNK ? "symlink" : "file";
    const sameOwner = this.#ignoreOwnership || (uid === entry.uid && gid === entry.gid);
    if (!sameOwner) fchownat(dirfd, name, entry.uid, entry.gid);
    // What docker does not touch through a link either.
    if (type === "symlink") return;
    if (!sameOwner || (mode & 0o7777) !== entry.mode) fchmodat(dirfd, name, entry.mode);
    this.#setXattrs(dirfd, name, type, entry);
    if (mtime.sec !== entry.mtime.sec || mtime.nsec !== entry.mtime.nsec) utimensat(dirfd, name, entry.mtime);
  }

  #setRest(dirfd: number, name: Buffer, type: EntryType, attributes: Attributes): void {
    this.#setXattrs(dirfd, name, type, attributes);
    utimensat(dirfd, name, attributes.mtime);
  }

  #setXattrs(dirfd: number, name: Buffer, type: EntryType, { xattrs }: Attributes): void {
    for (const [attr, value] of xattrs) {
      if (this.#keeps(attr, type)) {
        this.#set(attr, () => setxattrat(dirfd, name, this.#stored(attr), value));
      }
    }
  }

  #isOwn(uid: number, gid: number): boolean {
    return this.#ignoreOwnership || (uid === this.#uid && gid === this.#gid);
  }

  #needsChmod(mode: number, madeWith: number): boolean {
    return madeWith !== mode || (mode & this.#umask) !== 0;
  }

  /** Whether an attribute belongs to the image, can be on such an inode at all, and may be set. */
  #keeps(name: string, type: EntryType): boolean {
    if (isHostXattr(name)) return false;
    if (name.startsWith("trusted.") || name.startsWith("security.")) return !this.#ignoreOwnership;
    // No Linux file system has these, see xattr(7); docker drops them too.
    if (name.startsWith("user.")) return type === "file" || type === "dir";
    return type !== "symlink";
  }

  #stored(name: string): Buffer {
    return Buffer.from(storedXattrName(name, this.#form), "latin1");
  }

  #set(name: string, set: () => void): void {
    try {
      set();
    } catch (error) {
      const code = errnoCode(error);
      if (code !== "ENOTSUP" && code !== "EPERM") throw error;
      throw new StrataError("Unsupported", this.#explain(name, code), { cause: error });
    }
  }

  #explain(name: string, code: string): string {
    const what = `the extended attribute ${JSON.stringify(name)} cannot be set: `;
    return code === "EPERM"
      ? `${what}it needs privileges; run as root, or leave such attributes out (ignoreOwnership)`
      : `${what}the file system has none of its kind; put the storage on ext4, xfs or btrfs`;
  }
}

function listNames(dirfd: number, name: Buffer): Buffer[] {
  try {
    return listxattrat(dirfd, name);
  } catch (error) {
    if (errnoCode(error) === "ENOTSUP") return [];
    throw error;
  }
}

/** Of the whole process. umask(2) could only tell it by changing it for a moment. @see proc(5) */
function readUmask(): number {
  const match = /^Umask:\t([0-7]+)$/m.exec(readFileSync("/proc/self/status", "latin1"));
  // A kernel that does not tell has all bits, so that every mode is set explicitly.
  return Number.parseInt(match?.[1] ?? "0777", 8);
}
