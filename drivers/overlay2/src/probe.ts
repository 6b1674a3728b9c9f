import { mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import {
  type Capabilities,
  errnoCode,
  FileLock,
  isStrataError,
  removeTree,
  StrataError,
  supported,
  unsupported,
} from "@strata/core";
import {
  AT_FDCWD,
  close,
  DT_DIR,
  fstatfs,
  getxattrat,
  NFS_SUPER_MAGIC,
  O_DIRECTORY,
  O_RDONLY,
  OVERLAYFS_SUPER_MAGIC,
  openat,
  readdir,
  S_IFCHR,
  S_IFMT,
  statx,
} from "@strata/linux";
import { openOverlay } from "./overlay-mount.ts";

/** OVL_MAX_STACK of the kernel: how many lowers a mount takes. The snapshot on top of them is one more. */
const maxLowers = 500;

const capabilities: Capabilities = {
  sharesParent: supported("overlayfs shows the parents' own files until they are written to"),
  readonlyViews: supported("a view is an overlay without an upper directory"),
  rebase: supported("a layer's directory holds nothing of its parent"),
  ownership: supported("runs as root"),
  xattrs: supported("the file system below keeps them"),
  hardlinksKeptOnWrite: unsupported("overlayfs copies a file up under the one name it is written by"),
  quotaBytes: unsupported("overlayfs has no quotas"),
  quotaInodes: unsupported("overlayfs has no quotas"),
  maxDepth: maxLowers + 1,
};

/**
 * Find out whether overlayfs works under `root` by using it: a mount attached nowhere, one deletion and one replaced
 * directory in it. Costs a few milliseconds.
 * @throws StrataError `Unsupported`
 */
export async function probe(root: string): Promise<Capabilities> {
  if (process.geteuid?.() !== 0) throw unusable(root, "mounting takes root's privileges", "run as root");
  assertFileSystem(root);
  // One at a time, and so that what a killed process left can be told from what another is just doing.
  using _lock = await FileLock.take(root, "exclusive", { create: false });
  const trial = `${root}/probe`;
  await removeTree(trial);
  try {
    const fault = tryOut(trial);
    if (fault !== undefined) throw unusable(root, fault, anotherFileSystem);
    return capabilities;
  } catch (error) {
    throw explain(root, error);
  } finally {
    await removeTree(trial);
  }
}

const anotherFileSystem = "put it on ext4, xfs, btrfs or tmpfs";

/** The two that are met most often; the kernel's own words about them are no help. */
function assertFileSystem(root: string): void {
  const fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
  try {
    const { type } = fstatfs(fd);
    if (type === OVERLAYFS_SUPER_MAGIC) {
      throw unusable(root, "it is on an overlayfs itself, as in a container", anotherFileSystem);
    }
    if (type === NFS_SUPER_MAGIC) throw unusable(root, "it is on NFS", anotherFileSystem);
  } finally {
    close(fd);
  }
}

/** @returns what does not work, if anything */
function tryOut(trial: string): string | undefined {
  const [lower, upper, work] = [`${trial}/lower`, `${trial}/upper`, `${trial}/work`] as const;
  mkdirSync(`${lower}/replaced`, { recursive: true, mode: 0o700 });
  for (const path of [upper, work]) mkdirSync(path, { mode: 0o700 });
  writeFileSync(`${lower}/deleted`, "");

  // Volatile, since unmounting would sync the whole file system otherwise.
  const mount = openOverlay({ lowers: [lower], upper: { dir: upper, work, volatile: true } });
  try {
    const merged = `/proc/self/fd/${mount}`;
    unlinkSync(`${merged}/deleted`);
    rmdirSync(`${merged}/replaced`);
    mkdirSync(`${merged}/replaced`);
  } finally {
    close(mount);
  }

  const deleted = statx(AT_FDCWD, `${upper}/deleted`);
  if ((deleted.mode & S_IFMT) !== S_IFCHR) return "its file system cannot keep a whiteout";
  const opaque = getxattrat(AT_FDCWD, `${upper}/replaced`, "trusted.overlay.opaque");
  if (opaque?.toString() !== "y") return "its file system cannot keep trusted.* attributes";
  if (!tellsTypes(upper)) return "its file system does not tell the types of directory entries (d_type)";
  return undefined;
}

function tellsTypes(upper: string): boolean {
  const fd = openat(AT_FDCWD, upper, O_RDONLY | O_DIRECTORY);
  try {
    return readdir(fd).some(({ type }) => type === DT_DIR);
  } finally {
    close(fd);
  }
}

function explain(root: string, error: unknown): unknown {
  const cause = isStrataError(error) ? error.cause : error;
  if (!(error instanceof Error)) return error;
  switch (errnoCode(cause)) {
    case "ENODEV":
      return unusable(root, "the kernel has no overlayfs", "load it with `modprobe overlay`", error);
    case "ENOSYS":
      return unusable(
        root,
        `the kernel, ${release()}, is too old`,
        "overlay2 needs Linux 6.7 or later",
        error,
      );
    case "EPERM":
      return unusable(root, error.message, "run as root with CAP_SYS_ADMIN, outside a user namespace", error);
    case "EINVAL":
      return unusable(root, error.message, `${anotherFileSystem}; overlay2 needs Linux 6.7 or later`, error);
    case "EIO":
      return unusable(
        root,
        `its file system cannot be an upper layer (${error.message})`,
        anotherFileSystem,
        error,
      );
    default:
      return error;
  }
}

function unusable(root: string, why: string, whatToDo: string, cause?: Error): StrataError {
  return new StrataError("Unsupported", `overlay2 cannot work in ${root}: ${why}; ${whatToDo}`, { cause });
}
