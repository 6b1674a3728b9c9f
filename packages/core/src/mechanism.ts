import type { Capabilities } from "./capabilities.ts";
import type { CallOptions, Problem, Quota, Usage } from "./driver.ts";
import type { LayerLayout } from "./layout.ts";

/**
 * What a driver author writes: mechanism only. {@link createDriver} adds ids, kinds, parents, locking, mount
 * counting, crash recovery and argument checks, and makes a {@link StorageDriver} of it.
 *
 * Each snapshot has a directory of its own, which core makes and names; what is in it, beside core's own files, is
 * the driver's business. A driver never sees keys or names. No call is made while core holds the lock, except
 * `mount` and `unmount`, which are quick.
 */
export interface DriverMechanism {
  /** The driver's name: lower case. */
  readonly name: string;

  /**
   * Find out what the host and `root` (which exists) can do.
   * @throws StrataError `Unsupported`, with the reason and what to do, if the driver cannot work here at all
   */
  probe(root: string): Promise<Capabilities>;

  /**
   * Make the snapshot's tree in `place.dir`, which exists and is empty but for core's own files. A crash in it is
   * fine: core throws the directory away.
   */
  create(place: SnapshotPlace, options: CreateOptions): Promise<void>;

  /** Where the snapshot's bytes are. Must not touch the disk more than a few times. */
  layout(place: SnapshotPlace): LayerLayout;

  /**
   * Make the tree visible and return its path. Never called for a snapshot that is mounted already, in the sense
   * of {@link mountedAt}. Must be read-only for a view where the capabilities promise it.
   */
  mount(place: SnapshotPlace): Promise<string>;

  /** The path, if the tree is mounted now (by any process), else undefined. Cost: constant. */
  mountedAt(place: SnapshotPlace): Promise<string | undefined>;

  /**
   * Undo {@link mount}.
   * @throws StrataError `Busy`, if files are open and `force` is false
   */
  unmount(place: SnapshotPlace, force: boolean): Promise<void>;

  /** Called before a commit: whatever makes the tree immutable or smaller (remove the work directory, ...). */
  seal(place: SnapshotPlace): Promise<void>;

  /**
   * Delete everything in `dir` and `dir` itself. It may hold a half-made tree, or be half-deleted already, and it has
   * been moved since the tree was made in it. Nothing is mounted from it.
   * @returns what is given back, as far as it is known
   */
  destroy(dir: string, options: CallOptions): Promise<Usage>;

  /** What the snapshot alone holds on disk. */
  usage(place: SnapshotPlace, options: CallOptions): Promise<Usage>;

  /** Look for damage in one snapshot. @defaultValue none is looked for */
  check?(place: SnapshotPlace): Promise<Problem[]>;
}

/** A snapshot, as a driver sees it. */
export interface SnapshotPlace {
  readonly kind: "active" | "view" | "committed";
  /** The snapshot's own directory, absolute. */
  readonly dir: string;
  /** The directories of its parents, the nearest first. */
  readonly parents: readonly string[];
}

export interface CreateOptions extends CallOptions {
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
