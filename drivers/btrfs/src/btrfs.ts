import { chmodSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import {
  type CallOptions,
  type Capabilities,
  type CreateOptions,
  createDriver,
  type DriverMechanism,
  type DriverOptions,
  errnoCode,
  inTurns,
  type PlainLayout,
  type Problem,
  type SnapshotPlace,
  type StorageDriver,
  StrataError,
  type Usage,
} from "@strata/core";
import {
  AT_FDCWD,
  BTRFS_ROOT_DIRECTORY,
  btrfsQgroupLimit,
  btrfsSetSubvolReadonly,
  btrfsSnapCreate,
  btrfsSubvolCreate,
  btrfsSubvolReadonly,
  close,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  statxOrUndefined,
  syncfsInBackground,
} from "@strata/linux";
import { destroy, reclaim } from "./destroy.ts";
import { ownUsage } from "./own-usage.ts";
import { probe } from "./probe.ts";
import { Subvolume } from "./subvolume.ts";
import { touchedSince } from "./touched.ts";

export interface BtrfsOptions extends DriverOptions {
  /**
   * Turn on simple quotas, if no quotas are on, on the whole file system that `root` is on. They stay on. From then
   * on `quota.bytes` can be enforced. @defaultValue false: `quota.bytes` works where somebody has turned them on
   */
  readonly enableQuota?: boolean;
}

/**
 * A storage driver on btrfs: each snapshot is a subvolume, and one of the file system's own snapshots of its parent.
 * Preparing one costs a commit of the file system's transaction, whatever the size of the tree.
 *
 * ```ts
 * const driver = await btrfs({ root: "/var/lib/my-tool/snapshots" });
 * ```
 * @throws StrataError `Unsupported`, if it cannot work here: it needs root, Linux 5.7 or later, and a root directory
 *   on a btrfs
 * @throws StrataError `FailedPrecondition`, if the root belongs to another driver
 */
export function btrfs(options: BtrfsOptions): Promise<StorageDriver> {
  return createDriver(new BtrfsMechanism(options), options);
}

/**
 * btrfs as a mechanism. In a snapshot's directory:
 *
 *     tree/   a subvolume with the whole tree; of a view or a committed snapshot read-only
 *
 * A tree is visible where it is, without a mount. But an active's is read-only when a process was killed in its commit;
 * then it does not count as mounted, and to mount it is to make it writable.
 */
class BtrfsMechanism implements DriverMechanism {
  readonly name = "btrfs";
  readonly #durable: boolean;
  readonly #enableQuota: boolean;
  /** Subvolumes that this process has destroyed, but the kernel may not have cleaned up. */
  #destroyed: bigint[] = [];

  constructor({ durability = "commit", enableQuota = false }: BtrfsOptions) {
    this.#durable = durability === "commit";
    this.#enableQuota = enableQuota;
  }

  probe(root: string): Promise<Capabilities> {
    return probe(root, this.#enableQuota);
  }

  async create(place: SnapshotPlace, { quota, signal }: CreateOptions): Promise<void> {
    await createTree(place);
    if (quota?.bytes !== undefined) {
      using subvolume = Subvolume.open(treeIn(place.dir));
      btrfsQgroupLimit(subvolume.fd, subvolume.info.id, BigInt(quota.bytes));
    }
    signal?.throwIfAborted();
  }

  layout({ dir, parents: [parent] }: SnapshotPlace): PlainLayout {
    const tree = treeIn(dir);
    if (parent === undefined) return { format: "plain", dir: tree };
    const base = treeIn(parent);
    return { format: "plain", dir: tree, base, touched: () => touched(tree, base) };
  }

  async mount(place: SnapshotPlace): Promise<string> {
    await this.unseal(place);
    return treeIn(place.dir);
  }

  async mountedAt({ kind, dir }: SnapshotPlace): Promise<string | undefined> {
    const tree = treeIn(dir);
    return kind === "active" && isReadonly(tree) !== false ? undefined : tree;
  }

  async unmount(): Promise<void> {
    // Nothing was mounted.
  }

  async seal({ dir }: SnapshotPlace): Promise<void> {
    using subvolume = Subvolume.open(treeIn(dir));
    // First, so that nothing is nested after it was looked for.
    btrfsSetSubvolReadonly(subvolume.fd, true);
    for (const { path } of subvolume.nested()) {
      btrfsSetSubvolReadonly(subvolume.fd, false);
      throw new StrataError(
        "FailedPrecondition",
        `"/${path}" is a subvolume, which a snapshot of the tree would not hold; put a directory in its place ` +
          "(`cp -a --reflink` copies it, `btrfs subvolume delete` removes it), then commit again",
      );
    }
  }

  async unseal({ dir }: SnapshotPlace): Promise<void> {
    using subvolume = Subvolume.open(treeIn(dir));
    btrfsSetSubvolReadonly(subvolume.fd, false);
  }

  async destroy(dir: string, options: CallOptions): Promise<Usage> {
    const { ids, usage } = await destroy(dir, this.#durable, options);
    this.#destroyed.push(...ids);
    return usage;
  }

  async reclaim(root: string, options: CallOptions): Promise<void> {
    const ids = this.#destroyed.splice(0);
    try {
      await reclaim(root, ids, options);
    } catch (error) {
      this.#destroyed.push(...ids); // For the next time.
      throw error;
    }
  }

  async usage({ dir }: SnapshotPlace, options: CallOptions): Promise<Usage> {
    using subvolume = Subvolume.open(treeIn(dir));
    await syncfsInBackground(subvolume.fd); // Only what is on disk has a size there.
    return await inTurns(ownUsage(subvolume), options);
  }

  async check({ kind, dir }: SnapshotPlace): Promise<Problem[]> {
    const tree = treeIn(dir);
    if (statxOrUndefined(AT_FDCWD, tree)?.ino !== BTRFS_ROOT_DIRECTORY) {
      return [{ subject: tree, message: "the tree is gone; remove the snapshot and make it anew" }];
    }
    if (kind === "active" || isReadonly(tree)) return [];
    const message =
      "somebody has made the tree writable, and it may have been changed; make the snapshot anew";
    return [{ subject: tree, message }];
  }
}

async function createTree({ kind, dir, parents: [parent] }: SnapshotPlace): Promise<void> {
  const fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY);
  try {
    if (parent !== undefined) {
      using source = Subvolume.open(treeIn(parent));
      await btrfsSnapCreate(fd, "tree", source.fd, kind === "view");
      return;
    }
    btrfsSubvolCreate(fd, "tree");
    chmodSync(treeIn(dir), 0o755); // Whatever the umask.
    using tree = Subvolume.open(treeIn(dir));
    if (kind === "view") btrfsSetSubvolReadonly(tree.fd, true);
  } finally {
    close(fd);
  }
}

/** Cost: one sync of the file system, then see {@link touchedSince}. */
async function* touched(tree: string, base: string): AsyncGenerator<Buffer> {
  using subvolume = Subvolume.open(tree);
  using before = Subvolume.open(base);
  await syncfsInBackground(subvolume.fd);
  let steps = 0;
  for (const path of touchedSince(subvolume, before)) {
    if (++steps % stepsATurn === 0) await setImmediate();
    if (path !== undefined) yield path;
  }
}

/** Some milliseconds of searching, after which others get their turn. */
const stepsATurn = 1000;

/** Undefined if there is no tree. */
function isReadonly(tree: string): boolean | undefined {
  try {
    using subvolume = Subvolume.open(tree);
    return btrfsSubvolReadonly(subvolume.fd);
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function treeIn(snapshot: string): string {
  return `${snapshot}/tree`;
}
