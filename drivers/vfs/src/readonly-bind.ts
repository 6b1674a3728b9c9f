import { errnoCode } from "@strata/core";
import {
  AT_FDCWD,
  close,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  mountSetattr,
  moveMount,
  OPEN_TREE_CLONE,
  openTree,
  statxOrUndefined,
  UMOUNT_NOFOLLOW,
  umount2,
} from "@strata/linux";

/** Mount the directory `tree` at `path`, so that nobody can write to it there. Needs CAP_SYS_ADMIN. */
export function bindReadonly(tree: string, path: string): void {
  const mount = openReadonly(tree);
  try {
    moveMount(mount, AT_FDCWD, path);
  } finally {
    close(mount);
  }
}

/** A read-only mount of the directory `tree`, which goes when it is closed. */
function openReadonly(tree: string): number {
  const mount = openTree(AT_FDCWD, tree, OPEN_TREE_CLONE);
  try {
    // It is read-only before anybody can see it.
    mountSetattr(mount, { set: MOUNT_ATTR_RDONLY, propagation: MS_PRIVATE });
    return mount;
  } catch (error) {
    close(mount);
    throw error;
  }
}

/** Whether this process may mount `tree` read-only, and the kernel can. */
export function canBindReadonly(tree: string): boolean {
  try {
    close(openReadonly(tree));
    return true;
  } catch (error) {
    if (errnoCode(error) === "EPERM" || errnoCode(error) === "ENOSYS") return false;
    throw error;
  }
}

/** Whether something is mounted at `path`. */
export function isMounted(path: string): boolean {
  return statxOrUndefined(AT_FDCWD, path)?.mountRoot ?? false;
}

/** Undo {@link bindReadonly}. @throws SystemError EBUSY, while files are open, unless it is forced */
export function unmount(path: string, force: boolean): void {
  umount2(path, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0));
}
