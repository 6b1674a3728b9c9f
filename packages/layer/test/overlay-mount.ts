import {
  AT_FDCWD,
  close,
  fsconfigCreate,
  fsconfigFd,
  fsconfigString,
  fscontextLog,
  fsmount,
  fsopen,
  MNT_DETACH,
  moveMount,
  O_DIRECTORY,
  O_PATH,
  openat,
  umount2,
} from "@strata/linux";
import { it } from "vitest";

const isRoot = process.geteuid?.() === 0;
if (!isRoot) {
  const reason = "needs root: overlay mounts, devices, foreign owners and trusted.* attributes";
  if (process.env["CI"] === "true") throw new Error(reason);
  console.warn(`some tests are skipped: ${reason}`);
}

/** A test that only root can run. */
export const asRoot = it.skipIf(!isRoot);

export interface OverlayDirs {
  /** The nearest first. */
  readonly lowers: readonly string[];
  /** Without it, the mount is read-only. */
  readonly upper?: { readonly dir: string; readonly work: string };
}

/** Mount an overlay at `path`, as the overlay2 driver does; it is there until disposed of. */
export function mountOverlay({ lowers, upper }: OverlayDirs, path: string): Disposable {
  const context = fsopen("overlay");
  try {
    for (const lower of lowers) setDirectory(context, "lowerdir+", lower);
    if (upper !== undefined) {
      setDirectory(context, "upperdir", upper.dir);
      setDirectory(context, "workdir", upper.work);
    }
    fsconfigString(context, "redirect_dir", "off");
    fsconfigString(context, "metacopy", "off");
    fsconfigCreate(context);
    const mount = fsmount(context);
    moveMount(mount, AT_FDCWD, path);
    close(mount);
  } catch (error) {
    throw new Error(fscontextLog(context).join("\n"), { cause: error });
  } finally {
    close(context);
  }
  return { [Symbol.dispose]: () => umount2(path, MNT_DETACH) };
}

function setDirectory(context: number, key: string, path: string): void {
  const fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  try {
    fsconfigFd(context, key, fd);
  } finally {
    close(fd);
  }
}
