import { errnoCode } from "@strata/core";
import { getxattr, listxattr } from "@strata/linux";

/**
 * What the attributes of a file are taken for: `overlay`, a file in a layer directory, where `trusted.overlay.*` are
 * overlayfs's own notes and `trusted.overlay.overlay.*` are the file's; `plain`, a file whose attributes are all its
 * own; `raw`, every attribute as it is on disk.
 */
export type XattrForm = "overlay" | "plain" | "raw";

const overlayPrefix = "trusted.overlay.";
const escapedPrefix = "trusted.overlay.overlay.";

/**
 * Attributes of the host rather than of the image: labels of its security policy, and ACLs of its NFS server. They are
 * neither stored in a layer nor taken from one, as in docker and umoci.
 */
export function isHostXattr(name: string): boolean {
  return name === "security.selinux" || name === "system.nfs4_acl";
}

/** The name under which an attribute of an image's file is kept on disk. */
export function storedXattrName(name: string, form: XattrForm): string {
  return form === "overlay" && name.startsWith(overlayPrefix)
    ? escapedPrefix + name.slice(overlayPrefix.length)
    : name;
}

/** The reverse of {@link storedXattrName}: undefined, if the attribute on disk is none of the file's own. */
export function ownXattrName(stored: string, form: XattrForm): string | undefined {
  if (form === "raw") return stored;
  if (isHostXattr(stored)) return undefined;
  if (form === "plain" || !stored.startsWith(overlayPrefix)) return stored;
  return stored.startsWith(escapedPrefix) ? overlayPrefix + stored.slice(escapedPrefix.length) : undefined;
}

const noXattrs: ReadonlyMap<string, Buffer> = new Map();

/** The attributes of an open file (O_PATH too) by name, a `latin1` string. None where the file system has none. */
export function readXattrs(fd: number, form: XattrForm): ReadonlyMap<string, Buffer> {
  const names = listNames(fd);
  if (names.length === 0) return noXattrs;
  const xattrs = new Map<string, Buffer>();
  for (const stored of names) {
    const name = ownXattrName(stored.toString("latin1"), form);
    const value = name === undefined ? undefined : getxattr(fd, stored);
    // Without a value it was removed since it was listed.
    if (name !== undefined && value !== undefined) xattrs.set(name, value);
  }
  return xattrs;
}

function listNames(fd: number): Buffer[] {
  try {
    return listxattr(fd);
  } catch (error) {
    if (errnoCode(error) === "ENOTSUP") return [];
    throw error;
  }
}
