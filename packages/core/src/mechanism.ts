import type { Capabilities } from "./capabilities.ts";
import type { CallOptions, Problem, Quota, Usage } from "./driver.ts";
import type { LayerLayout } from "./layout.ts";

/**
 * What a driver author writes: mechanism only. {@link createDriver} adds ids, kinds, parents, locking, mount
 * counting, crash recovery and argument checks, and makes a {@link StorageDriver} of it.
 *
 * Each snapshot has a directory of its own, which core makes, names and moves to the trash. What is in it is the
 * driver's business, but for core's own files: `snapshot.json`, `committed.json`, `children` and all that begins with
 * `mount-`. A driver never sees keys or names, and keeps no state but what is in these directories, since other
 * processes work on them too.
 *
 * Core holds the snapshot's own lock during `create`, `mount`, `unmount`, `seal` and `destroy`: no two of them run at
 * once for one snapshot, in whichever process. For different snapshots they do. Parents are committed and stay while
 * they have children. `layout`, `mountedAt`, `usage` and `check` can run at any time.
 *
 * Core maps system errors to {@link StrataError}; a driver throws its own where it knows better what to do.
 */
export interface DriverMechanism {
  /** The driver's name: lower case. */
  readonly name: string;

  /**
   * Find out what the host and `root` (which exists) can do. Called once, when the driver is opened; what it makes
   * under `root` to try things out, it takes away again.
   * @throws StrataError `Unsupported`, with the reason and what to do, if the driver cannot work here at all
   */
  probe(root: string): Promise<Capabilities>;

  /**
   * Make the snapshot's tree in `place.dir`, which exists and is empty but for core's own files: the tree of
   * `place.parents[0]`, or an empty root directory of mode 0755. After an error or an abort, core calls
   * {@link destroy}; after a crash, the next cleanup does.
   */
  create(place: SnapshotPlace, options: CreateOptions): Promise<void>;

  /** Where the snapshot's bytes are, once created. Cost: constant. */
  layout(place: SnapshotPlace): LayerLayout;

  /**
   * Make the tree visible and return its path. Called only when {@link mountedAt} says that it is not. Must be
   * read-only for a view where the capabilities promise it. Never called for a committed snapshot.
   */
  mount(place: SnapshotPlace): Promise<string>;

  /**
   * The path, if the tree is visible now (by any process's mount), else undefined. A driver whose trees are always
   * visible, without a mount, always returns the path. Cost: constant.
   */
  mountedAt(place: SnapshotPlace): Promise<string | undefined>;

  /**
   * Undo {@link mount}. Called only when {@link mountedAt} says that it is mounted.
   * @throws the kernel's EBUSY or a StrataError `Busy`, if files are open and `force` is false; the tree then stays
   *   mounted
   */
  unmount(place: SnapshotPlace, force: boolean): Promise<void>;

  /**
   * Called before a commit, while the tree is not mounted: whatever makes it immutable or smaller (remove the work
   * directory, ...). The commit can still fail; the snapshot then goes on as an active one, is mounted, and sealed
   * again.
   */
  seal(place: SnapshotPlace): Promise<void>;

  /**
   * Called when a commit has failed after {@link seal}: let the tree be written where {@link layout} says, as before. A
   * process that is killed in a commit does not come to it. @defaultValue nothing is to be done
   */
  unseal?(place: SnapshotPlace): Promise<void>;

  /**
   * Delete everything in `dir` and `dir` itself. It may hold a half-made tree, or be half-deleted already, and it
   * mostly has been moved since the tree was made in it. Nothing is mounted from it.
   * @returns what is given back, as far as it is known
   */
  destroy(dir: string, options: CallOptions): Promise<Usage>;

  /**
   * Called at the end of a cleanup that has destroyed something: see to it that the space is free, if the host frees it
   * by and by only. @defaultValue nothing is to be done
   */
  reclaim?(root: string, options: CallOptions): Promise<void>;

  /** What the snapshot alone holds on disk. */
  usage(place: SnapshotPlace, options: CallOptions): Promise<Usage>;

  /** Look for damage in one snapshot. @defaultValue none is looked for */
  check?(place: SnapshotPlace): Promise<Problem[]>;
}

/** A snapshot, as a driver sees it. */
export interface SnapshotPlace {
  readonly kind: "active" | "view" | "committed";
  /** The snapshot's own directory, absolute, without symlinks. */
  readonly dir: string;
  /** The directories of its parents, the nearest first. */
  readonly parents: readonly string[];
}

export interface CreateOptions extends CallOptions {
  /** Set only as far as the capabilities say that it can be enforced. */
  readonly quota?: Quota;
}

/** Options that every driver takes. */
export interface DriverOptions {
  /** The directory for the driver's state; made, with mode 0700, if it is not there. */
  readonly root: string;
  /**
   * `"commit"`: what was committed survives a power cut. `"none"`: it survives the end of the process only.
   * @defaultValue "commit"
   */
  readonly durability?: Durability;
}

export type Durability = "none" | "commit";
