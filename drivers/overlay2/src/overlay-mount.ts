import { release } from "node:os";
import { type ErrorCode, errnoCode, StrataError } from "@strata/core";
import {
  AT_FDCWD,
  close,
  fsconfigCreate,
  fsconfigFd,
  fsconfigFlag,
  fsconfigString,
  fscontextLog,
  fsmount,
  fsopen,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  mountSetattr,
  moveMount,
  O_DIRECTORY,
  O_RDONLY,
  openat,
} from "@strata/linux";

/** What to mount: directories by absolute path. */
export interface Overlay {
  /** The top one first; at least one, or two without an upper. */
  readonly lowers: readonly string[];
  /** Where writes go; none makes the mount read-only. */
  readonly upper: Upper | undefined;
}

export interface Upper {
  readonly dir: string;
  /** An empty directory on the upper's file system, for overlayfs's own use. */
  readonly work: string;
  /**
   * Leave out everything that writes to disk: fsync(2) in the mount, and the sync of the whole file system when it is
   * unmounted.
   */
  readonly volatile: boolean;
}

/** Mount an overlay on the directory `target`. @throws StrataError, as {@link openOverlay} */
export function attachOverlay(overlay: Overlay, target: string): void {
  const mount = openOverlay(overlay);
  try {
    moveMount(mount, AT_FDCWD, target);
    // On a shared parent the new mount is shared as well, and what somebody mounts inside it would spread to other
    // namespaces and keep it busy there.
    mountSetattr(mount, { propagation: MS_PRIVATE });
  } finally {
    close(mount);
  }
}

/**
 * Make an overlay that is mounted nowhere yet, and goes with its descriptor.
 * @throws StrataError `Unsupported`, with the kernel's own reason
 * @throws StrataError `Corrupt`, if one of the directories is gone
 * @throws the system error, if the disk is full or fails, or this process may open no more files
 */
export function openOverlay({ lowers, upper }: Overlay): number {
  const context = fsopen("overlay");
  try {
    configure(context, lowers, upper);
    fsconfigCreate(context);
    return fsmount(context, upper === undefined ? MOUNT_ATTR_RDONLY : 0);
  } catch (error) {
    throw refusal(upper?.dir ?? lowers[0], error, fscontextLog(context));
  } finally {
    close(context);
  }
}

function configure(context: number, lowers: readonly string[], upper: Upper | undefined): void {
  fsconfigString(context, "source", "strata");
  // With any of these on, a layer's directory would not mean the same outside this very mount. The kernel's own
  // defaults depend on how it was built.
  for (const feature of ["index", "redirect_dir", "metacopy"]) fsconfigString(context, feature, "off");
  // No identity of the mount is written into the layer; "auto" would.
  fsconfigString(context, "uuid", "null");
  for (const lower of lowers) setDirectory(context, "lowerdir+", lower);
  if (upper === undefined) return;
  setDirectory(context, "upperdir", upper.dir);
  setDirectory(context, "workdir", upper.work);
  if (upper.volatile) fsconfigFlag(context, "volatile");
}

// Before 6.13, overlayfs takes directories by path only.
const [major = 0, minor = 0] = release().split(".").map(Number);
const takesDescriptors = major > 6 || (major === 6 && minor >= 13);

/**
 * Directories go by descriptor, or by the descriptor's own short path. So their paths may hold colons, commas and
 * whatever else the options of mount(2) give a meaning, be longer than the 255 bytes of an option, and there is no page
 * of options to fill.
 */
function setDirectory(context: number, key: string, path: string): void {
  const fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  try {
    if (takesDescriptors) fsconfigFd(context, key, fd);
    else fsconfigString(context, key, `/proc/self/fd/${fd}`);
  } finally {
    close(fd);
  }
}

function refusal(dir: string | undefined, error: unknown, log: readonly string[]): unknown {
  const errno = errnoCode(error);
  if (errno === undefined || !(error instanceof Error)) return error;
  if (notRefusals.has(errno)) return error;
  // What overlayfs does not tell the context, it writes to the kernel's log.
  const reasons = log.length === 0 ? `${error.message}; dmesg may say more` : log.join("; ");
  const message = `the kernel refuses an overlay with ${dir} on top: ${reasons}`;
  return new StrataError(codes[errno] ?? "Unsupported", message, { cause: error });
}

const codes: Partial<Record<string, ErrorCode>> = {
  // A layer's directory is gone.
  ENOENT: "Corrupt",
};

/** These are not about overlays. */
const notRefusals: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE"]);
