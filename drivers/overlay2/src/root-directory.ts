import {
  AT_FDCWD,
  close,
  fchmod,
  fchown,
  fstatx,
  futimens,
  getxattr,
  listxattr,
  mkdirat,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  setxattr,
} from "@strata/linux";

/**
 * Make the directory of a layer. The root of a merged tree has the attributes of the topmost layer's directory, so a
 * new layer gets its parent's: permissions, owner, extended attributes, modification time.
 */
export function makeRoot(path: string, parent: string | undefined): void {
  mkdirat(AT_FDCWD, path, 0o755);
  const root = openDirectory(path);
  try {
    if (parent === undefined) fchmod(root, 0o755);
    else inherit(root, parent);
  } finally {
    close(root);
  }
}

function inherit(root: number, parentPath: string): void {
  const parent = openDirectory(parentPath);
  try {
    const { mode, uid, gid, mtime } = fstatx(parent);
    fchown(root, uid, gid);
    fchmod(root, mode & 0o7777);
    for (const name of listxattr(parent)) {
      const value = isLayersOwn(name) ? undefined : getxattr(parent, name);
      if (value !== undefined) setxattr(root, name, value);
    }
    futimens(root, mtime);
  } finally {
    close(parent);
  }
}

/**
 * Whether an attribute is overlayfs's note about one layer, such as `opaque`. With the prefix twice it is not: so
 * overlayfs keeps what is a `trusted.overlay.*` attribute in the tree itself.
 */
function isLayersOwn(name: Buffer): boolean {
  const text = name.toString("latin1");
  return text.startsWith("trusted.overlay.") && !text.startsWith("trusted.overlay.overlay.");
}

function openDirectory(path: string): number {
  return openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}
