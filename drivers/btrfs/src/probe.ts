import { mkdirSync } from "node:fs";
import { release } from "node:os";
import {
  type Capabilities,
  type Capability,
  errnoCode,
  FileLock,
  StrataError,
  supported,
  unsupported,
} from "@strata/core";
import {
  AT_FDCWD,
  BTRFS_SUPER_MAGIC,
  btrfsQuotaEnableSimple,
  btrfsSetSubvolReadonly,
  btrfsSubvolCreate,
  close,
  fstatfs,
  fstatx,
  mountInfo,
  O_DIRECTORY,
  O_RDONLY,
  openat,
} from "@strata/linux";
import { destroy } from "./destroy.ts";
import { quotaMode } from "./quota.ts";
import { Subvolume } from "./subvolume.ts";

/** btrfs has no limit. This is about what overlayfs can mount, so that what one driver takes the other takes too. */
const maxDepth = 500;

/**
 * Find out whether `root` is on a btrfs that this process may administer, by making a subvolume and removing it again.
 * @param enableQuota - see {@link BtrfsOptions}
 * @throws StrataError `Unsupported`
 */
export async function probe(root: string, enableQuota: boolean): Promise<Capabilities> {
  const fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
  try {
    if (fstatfs(fd).type !== BTRFS_SUPER_MAGIC) {
      const remedy =
        "mount a btrfs there (`mkfs.btrfs` makes one, on a disk or in a file), or choose overlay2";
      throw unusable(root, `it is on ${fileSystemOf(fd)}`, remedy);
    }
    if (process.geteuid?.() !== 0) {
      throw unusable(root, "looking into a file system's trees takes root's privileges", "run as root");
    }
    await tryOut(root, fd);
    if (enableQuota) btrfsQuotaEnableSimple(fd);
    return capabilities(quota(root, fd));
  } catch (error) {
    throw explain(root, error);
  } finally {
    close(fd);
  }
}

/** Without a snapshot, which would make the kernel write to disk: whoever can do all this can make one too. */
async function tryOut(root: string, fd: number): Promise<void> {
  // One at a time, and so that what a killed process left can be told from what another is just doing.
  using _lock = await FileLock.take(root, "exclusive", { create: false });
  const trial = `${root}/probe`;
  await destroy(trial, true, {});
  mkdirSync(trial, { mode: 0o700 });
  try {
    const directory = openat(fd, "probe", O_RDONLY | O_DIRECTORY);
    try {
      btrfsSubvolCreate(directory, "tree");
    } finally {
      close(directory);
    }
    using subvolume = Subvolume.open(`${trial}/tree`);
    btrfsSetSubvolReadonly(subvolume.fd, true);
  } finally {
    await destroy(trial, true, {});
  }
}

function capabilities(quotaBytes: Capability): Capabilities {
  return {
    sharesParent: supported("a snapshot of btrfs shares all blocks until they are changed"),
    readonlyViews: supported("a view is a read-only snapshot"),
    rebase: unsupported("a snapshot holds a whole tree, not what differs from a parent"),
    ownership: supported("runs as root"),
    xattrs: supported("btrfs keeps them"),
    hardlinksKeptOnWrite: supported("each snapshot has its own files"),
    quotaBytes,
    quotaInodes: unsupported("btrfs does not count inodes"),
    maxDepth,
  };
}

function quota(root: string, fd: number): Capability {
  switch (quotaMode(fd)) {
    case "simple":
      return supported("simple quotas of btrfs are on");
    case "full":
      return unsupported(
        "the quotas that are on count what is shared with a parent as well; simple quotas can take their place " +
          `(\`btrfs quota disable ${root}\`, then \`btrfs quota enable --simple ${root}\`)`,
      );
    case "off":
      return unsupported(
        `quotas are off on this btrfs; turn them on with \`btrfs quota enable --simple ${root}\` or the driver's ` +
          "option enableQuota",
      );
  }
}

function fileSystemOf(fd: number): string {
  const { dev } = fstatx(fd);
  const mount = mountInfo().find((entry) => entry.dev.major === dev.major && entry.dev.minor === dev.minor);
  return mount?.fstype ?? "a file system that is no btrfs";
}

function explain(root: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  switch (errnoCode(error)) {
    case "EPERM":
      return unusable(root, error.message, "run as root with CAP_SYS_ADMIN, outside a user namespace", error);
    case "EROFS":
      return unusable(root, "its file system is mounted read-only", "mount it for writing", error);
    case "ENOTTY":
    case "EOPNOTSUPP":
      return unusable(root, `the kernel, ${release()}, is too old`, "btrfs needs Linux 5.7 or later", error);
    case "EINVAL":
      return unusable(root, error.message, "simple quotas need Linux 6.7; leave enableQuota out", error);
    default:
      return error;
  }
}

function unusable(root: string, why: string, whatToDo: string, cause?: Error): StrataError {
  return new StrataError("Unsupported", `btrfs cannot work in ${root}: ${why}; ${whatToDo}`, { cause });
}
