import type { Capabilities } from "./capabilities.ts";
import type { LayerLayout } from "./layout.ts";

/**
 * A storage driver keeps file trees as **snapshots** and gives out copy-on-write children of them.
 *
 * ## Words
 *
 * - **snapshot**: a file tree that a driver keeps. It is one of three kinds:
 *   **active** (writable), **view** (read-only) or **committed** (immutable, and able to be a parent).
 * - **key**: names an active or a view. Chosen by the caller, freed by commit or remove.
 * - **name**: names a committed snapshot. Keys and names share one space: what is taken as one cannot be used as
 *   the other.
 * - **id**: a key or a name, where either will do.
 * - **parent**: the committed snapshot whose tree a snapshot starts from.
 * - **layer**: what one snapshot changes against its parent.
 *
 * ## Lifecycle
 *
 * Importing a base layer, then running something on top of it:
 *
 * ```ts
 * const base = await driver.prepare("import-1");        // an empty, writable tree
 * await fillWithFiles(base.layout());                   // apply a layer, or mount() and write
 * await base.commit("base");                            // now immutable; the key "import-1" is free again
 *
 * const run = await driver.prepare("run-1", "base");    // sees everything in "base", owns nothing yet
 * const mount = await run.mount();                      // a directory on the host
 * await writeFile(`${mount.path}/etc/motd`, "hello");   // copied up, "base" is untouched
 * await mount.close();
 * await run.commit("patched");                          // "patched" has the parent "base"
 *
 * const look = await driver.view("look-1", "patched");  // really read-only
 * await driver.remove("look-1");
 * await driver.remove("patched");                       // children before parents
 * await driver.remove("base");
 * await driver.cleanup();                               // now the bytes are given back
 * ```
 *
 * ## Promises
 *
 * 1. An active snapshot never is a parent; a parent must be committed (`FailedPrecondition`).
 * 2. A key or name that is taken fails with `AlreadyExists`, whatever kind of snapshot holds it.
 * 3. What is not there fails with `NotFound`.
 * 4. A committed snapshot never changes, neither its tree nor its parent; one that was damaged from outside can be
 *    replaced as a whole, see {@link CommitOptions.replace}.
 * 5. A view cannot be written through its mount, by root neither, where `capabilities.readonlyViews` says so.
 * 6. `remove` refuses while a child (`FailedPrecondition`) or a mount (`Busy`) exists.
 * 7. `remove` frees the id at once, whatever the size of the tree; `cleanup` gives the bytes back.
 * 8. Each call that changes something takes effect whole or not at all, also when the process is killed in it:
 *    the commit point is one `rename(2)` or `symlink(2)`.
 * 9. After `commit` returned, the snapshot survives a power cut, unless its durability is `"none"`.
 * 10. Several processes may use one root at the same time. The driver's lock is held for metadata only, never
 *     while bytes move.
 * 11. A long call takes an `AbortSignal`; aborted, it rejects with the signal's reason and leaves nothing behind.
 * 12. What the host cannot do throws `Unsupported` with the reason; nothing is silently skipped.
 * 13. Arguments that are not what their types say are a programmer's mistake: `TypeError`. System errors arrive as the
 *     `cause` of a {@link StrataError}.
 */
export interface StorageDriver extends AsyncDisposable {
  /** The driver's name: lower case, e.g. `overlay2`. For messages; never switch on it, see {@link capabilities}. */
  readonly name: string;

  /** The absolute path, without symlinks, of the directory that holds all of the driver's state. */
  readonly root: string;

  /** What this driver can do on this host and under this root; probed once, when the driver was opened. */
  readonly capabilities: Capabilities;

  /**
   * Make an active snapshot: a writable tree that starts as `parent`'s, or empty (a root directory of mode 0755,
   * owned by the caller) without one.
   *
   * Cost: constant for drivers with `capabilities.sharesParent`, else a copy of the parent's tree. Not durable
   * until committed.
   *
   * @param key - names the snapshot until it is committed or removed
   * @param parent - the name of a committed snapshot
   * @throws StrataError `AlreadyExists`, if `key` is a key or a name already
   * @throws StrataError `NotFound`, if there is no `parent`
   * @throws StrataError `FailedPrecondition`, if `parent` is not committed
   * @throws StrataError `DepthExceeded`, if the chain would be longer than `capabilities.maxDepth`
   * @throws StrataError `InvalidArgument`, if `key` is not an {@link assertId | id}
   * @throws StrataError `Unsupported`, if `options.quota` cannot be enforced here
   * @throws StrataError `NoSpace`
   */
  prepare(key: string, parent?: string, options?: PrepareOptions): Promise<ActiveSnapshot>;

  /**
   * Make a view: a read-only look at `parent`'s tree, or at an empty tree without one.
   *
   * Cost and errors: as for {@link prepare}; a view never copies where the driver can mount read-only.
   */
  view(key: string, parent?: string, options?: SnapshotOptions): Promise<ViewSnapshot>;

  /**
   * Get hold of an existing snapshot of any kind. Cost: constant.
   * @throws StrataError `NotFound`
   * @throws StrataError `Corrupt`, if what is written down about it is damaged; it can still be removed
   */
  open(id: string): Promise<Snapshot>;

  /**
   * What is known about a snapshot. Cost: constant.
   * @throws StrataError `NotFound`
   * @throws StrataError `Corrupt`, as for {@link open}
   */
  stat(id: string): Promise<SnapshotInfo>;

  /**
   * All snapshots that match `filter`, in no particular order. Each info was true at one moment; the list as a
   * whole is not a moment in time: a snapshot that is committed meanwhile may come twice, by its key and by its name.
   * Snapshots may be made and removed while the list is being read. What is damaged is left out; {@link check} names
   * it.
   */
  list(filter?: SnapshotFilter): AsyncIterable<SnapshotInfo>;

  /**
   * The disk space that only this snapshot holds, without its parents. Cost: may be proportional to the size of
   * the snapshot.
   * @throws StrataError `NotFound`
   */
  usage(id: string, options?: CallOptions): Promise<Usage>;

  /**
   * Replace the labels of a snapshot. Kind, parent and creation time cannot be changed. Those of a committed snapshot
   * are durable when this returns.
   * @throws StrataError `NotFound`
   */
  setLabels(id: string, labels: Labels): Promise<SnapshotInfo>;

  /**
   * Remove a snapshot, also a damaged one. Its id is free when this returns; the bytes are reclaimed by
   * {@link cleanup}. Cost: constant.
   * @throws StrataError `NotFound`
   * @throws StrataError `FailedPrecondition`, while another snapshot has it as its parent
   * @throws StrataError `Busy`, while it is mounted
   */
  remove(id: string): Promise<void>;

  /**
   * Reclaim what removed snapshots and killed processes left behind: trees, and mounts whose holders are all dead,
   * unless files in them are open. Never touches what a living process is making.
   *
   * Cost: proportional to what is reclaimed; beside that, a look at each active and view, and the listing of all ids.
   * Only where a process was killed, or another is making a snapshot just then, each id is looked at too.
   */
  cleanup(options?: CallOptions): Promise<CleanupReport>;

  /** Look for damage in the driver's own state. Changes nothing; an empty list means none was found. */
  check(options?: CallOptions): Promise<Problem[]>;

  /**
   * Make everything written so far under {@link root} durable (one `syncfs(2)`, of the whole file system). For callers
   * that commit several snapshots at once, with {@link CommitOptions.synced}. Does nothing with durability `"none"`.
   */
  sync(): Promise<void>;

  /**
   * Close the mounts that this instance opened and free its descriptors. Persistent mounts stay. Closing twice is
   * fine; other calls then fail with `FailedPrecondition`.
   * @throws StrataError `Busy`, if a mount is in use; it can still be closed later
   */
  close(): Promise<void>;
}

/** Options of a call that can take long. */
export interface CallOptions {
  /** Aborts the call: it rejects with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

/** Free-form strings kept with a snapshot, for the caller's own use. */
export type Labels = Readonly<Record<string, string>>;

export interface SnapshotOptions extends CallOptions {
  /** @defaultValue none */
  readonly labels?: Labels;
}

export interface PrepareOptions extends SnapshotOptions {
  /** Limits on what the snapshot may hold itself; `Unsupported` where they cannot be enforced. */
  readonly quota?: Quota;
}

export interface Quota {
  readonly bytes?: number;
  readonly inodes?: number;
}

export interface CommitOptions extends CallOptions {
  /** Labels of the committed snapshot. @defaultValue those of the active snapshot */
  readonly labels?: Labels;
  /**
   * The parent to commit under, for a snapshot that was prepared without one. So the layers of an image can be
   * written side by side and be chained afterwards. Needs `capabilities.rebase`.
   */
  readonly parent?: string;
  /**
   * The caller has called {@link StorageDriver.sync} since the last write to this snapshot: its data need not be
   * made durable again. @defaultValue false
   */
  readonly synced?: boolean;
  /**
   * Take the place of the committed snapshot of this name, if there is one, whose tree was damaged or lost. It is for the
   * caller to know that the tree is what the other one was before. Snapshots above it go on from the new tree; what a
   * driver copied of the old one when they were made they keep. It fails with `Busy` while a snapshot is being made from
   * the old one and, where the driver shares, while one above it is mounted.
   * @defaultValue false: a name that is taken fails with `AlreadyExists`
   */
  readonly replace?: boolean;
}

export type SnapshotKind = "active" | "view" | "committed";

export interface SnapshotInfo {
  readonly kind: SnapshotKind;
  /** The key of an active or view, the name of a committed snapshot. */
  readonly id: string;
  /** The parent's name. */
  readonly parent?: string;
  readonly labels: Labels;
  readonly createdAt: Date;
  /** When labels or kind last changed. */
  readonly updatedAt: Date;
}

export interface SnapshotFilter {
  readonly kind?: SnapshotKind;
  readonly parent?: string;
  /** Each of these labels must be there, with this value. */
  readonly labels?: Labels;
}

/** Disk space held by one snapshot alone. */
export interface Usage {
  /** Bytes allocated on disk (`st_blocks` times 512), each inode counted once. */
  readonly bytes: number;
  readonly inodes: number;
}

export interface CleanupReport {
  /** Snapshots and temporaries that were reclaimed. */
  readonly removed: number;
  /** Bytes allocated on disk that they held. */
  readonly bytes: number;
}

/** Something found wrong by a check. */
export interface Problem {
  /** What is damaged: a snapshot's id, a digest, a path. */
  readonly subject: string;
  /** What is wrong with it and what to do, in words. */
  readonly message: string;
}

export type Snapshot = ActiveSnapshot | ViewSnapshot | CommittedSnapshot;

interface SnapshotBase {
  readonly id: string;
  readonly parent?: string;
  /** Where the snapshot's bytes are: all that apply and diff need to know of a driver. Cost: constant. */
  layout(): LayerLayout;
}

interface MountableSnapshot extends SnapshotBase {
  /**
   * Make the tree visible at a path on the host. Mounts are counted: the tree stays mounted until the last
   * {@link Mount} is closed, by whichever process. A mount held by a process that was killed does not count.
   *
   * Cost: constant, independent of the size of the tree.
   * @throws StrataError `NotFound`, if the snapshot is gone
   * @throws StrataError `FailedPrecondition`, if it was committed since
   * @throws StrataError `Unsupported`, if the host refuses the mount; the message carries the kernel's own log
   */
  mount(options?: MountOptions): Promise<Mount>;

  /**
   * Where the tree is visible now, by whichever process's mount, or undefined.
   */
  mountedAt(): Promise<string | undefined>;

  /**
   * Give up the persistent mount, if there is one. The tree stays mounted for processes that hold mounts of it.
   * @returns whether there was one
   * @throws StrataError `Busy`, if files in it are still open and it was the last; with `force` it is detached all
   *   the same, and goes when the last file is closed
   * @throws StrataError `NotFound`, if the snapshot is gone
   */
  unmount(options?: UnmountOptions): Promise<boolean>;
}

/** A writable snapshot. */
export interface ActiveSnapshot extends MountableSnapshot {
  readonly kind: "active";
  /**
   * Make the snapshot immutable under `name` and free its key. The active handle is of no use afterwards. If it
   * fails, the snapshot stays active as it was. Meanwhile, other calls that concern this snapshot wait.
   *
   * Cost: constant, plus making the data durable (see promise 9): one `syncfs(2)`, or some `fsync(2)` of small files
   * with {@link CommitOptions.synced}.
   * @throws StrataError `AlreadyExists`, if `name` is a key or name already; the snapshot stays active
   * @throws StrataError `NotFound`, if the snapshot or `options.parent` is gone
   * @throws StrataError `FailedPrecondition`, if it is not active any more, or `options.parent` differs from the
   *   parent it was prepared with
   * @throws StrataError `Busy`, while it is mounted
   * @throws StrataError `Unsupported`, if `options.parent` is given later and the driver cannot {@link
   *   Capabilities.rebase}
   * @throws StrataError `DepthExceeded`, if `options.parent` makes the chain too long
   * @throws StrataError `InvalidArgument`, if `name` is not an {@link assertId | id}
   * @throws StrataError `NoSpace`
   */
  commit(name: string, options?: CommitOptions): Promise<SnapshotInfo>;
}

/** A read-only snapshot. */
export interface ViewSnapshot extends MountableSnapshot {
  readonly kind: "view";
}

/** An immutable snapshot. To look into it through a path, make a view of it. */
export interface CommittedSnapshot extends SnapshotBase {
  readonly kind: "committed";
}

export interface MountOptions {
  /**
   * Keep the mount when this process ends: any later process may {@link MountableSnapshot.unmount | unmount} it.
   * Closing the {@link Mount} then leaves it mounted. @defaultValue false
   */
  readonly persistent?: boolean;
}

export interface UnmountOptions {
  /** Detach even if files are open. @defaultValue false */
  readonly force?: boolean;
}

/** A claim on a mounted tree. */
export interface Mount extends AsyncDisposable {
  /** The absolute path of the tree's root on the host. */
  readonly path: string;
  /**
   * Give the claim up; the last one unmounts. Closing twice is fine.
   * @throws StrataError `Busy`, if it was the last and files in the tree are still open; the tree stays mounted
   */
  close(): Promise<void>;
}
