import {
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  fstatx,
  futimens,
  getxattr,
  getxattrat,
  listxattr,
  listxattrat,
  S_IFLNK,
  S_IFMT,
  type Stat,
  setxattr,
  setxattrat,
  utimensat,
} from "@strata/linux";
import { errnoCode } from "../errors.ts";

/** Root may do everything that is done here, and is not stopped by permissions. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Labels of the host's policy, which gives a copy its own. */
const ofTheHost = new Set(["security.selinux", "system.nfs4_acl"]);

/**
 * Give an open copy the metadata of its open source. In this order: a change of owner takes setuid bits and file
 * capabilities away, and attributes can be set only as long as the file can be written.
 */
export function copyAttributes(source: number, copy: number, stat: Stat): void {
  // Most files are right as they were made, and to ask costs less than to set it again.
  const made = fstatx(copy);
  if (made.uid !== stat.uid || made.gid !== stat.gid) unlessDenied(() => fchown(copy, stat.uid, stat.gid));
  for (const name of listed(() => listxattr(source))) {
    const value = getxattr(source, name);
    if (value !== undefined) setAttribute(name, () => setxattr(copy, name, value));
  }
  if (made.mode !== stat.mode) fchmod(copy, stat.mode & 0o7777);
  futimens(copy, stat.mtime);
}

/** As {@link copyAttributes}, for what is not opened: symlinks, devices, FIFOs, sockets. */
export function copyAttributesAt(source: number, copy: number, name: Buffer, stat: Stat): void {
  unlessDenied(() => fchownat(copy, name, stat.uid, stat.gid));
  for (const attribute of listed(() => listxattrat(source, name))) {
    const value = getxattrat(source, name, attribute);
    if (value !== undefined) setAttribute(attribute, () => setxattrat(copy, name, attribute, value));
  }
  // Symlinks have no permissions.
  if ((stat.mode & S_IFMT) !== S_IFLNK) fchmodat(copy, name, stat.mode & 0o7777);
  utimensat(copy, name, stat.mtime);
}

function setAttribute(name: Buffer, set: () => void): void {
  if (!ofTheHost.has(name.toString("latin1"))) unlessDenied(set);
}

/** An ordinary user's copy is without what only root may set; the driver's capabilities say so. */
function unlessDenied(set: () => void): void {
  try {
    set();
  } catch (error) {
    if (isRoot() || errnoCode(error) !== "EPERM") throw error;
  }
}

function listed(list: () => Buffer[]): Buffer[] {
  try {
    return list();
  } catch (error) {
    if (errnoCode(error) === "ENOTSUP") return []; // A file system without attributes.
    throw error;
  }
}
