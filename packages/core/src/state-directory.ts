import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import type { SnapshotInfo } from "./driver.ts";
import { errnoCode, isStrataError, StrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { FileLock } from "./file-lock.ts";
import type { SnapshotPlace } from "./mechanism.ts";
import { decodeRecord, encodeRecord, recordNames, type SnapshotRecord } from "./snapshot-record.ts";

/** A snapshot that has a key or name. */
export interface Entry {
  /** The name of its directory: opaque, and never used again. */
  readonly directory: string;
  readonly record: SnapshotRecord;
}

export type PointerKind = "keys" | "names";

/**
 * The state of a driver on disk. The file system is the database:
 *
 *     lock                       flocked for changes of pointers and children; never while bytes move
 *     driver                     the driver's name
 *     snapshots/<directory>/     one snapshot, by a random name; flocked by whoever makes, mounts, commits or removes it
 *       snapshot.json            its record as an active or view
 *       committed.json           its record as committed; without meaning unless a name points here
 *       children/<directory>     one for each snapshot that was started from it
 *       mount-<claim>            one for each mount, see mount-claims.ts
 *       ...                      the driver's own
 *     keys/<key>, names/<name>   symlinks to ../snapshots/<directory>
 *     trash/<directory>          removed, still to be destroyed
 *     trash/<directory>.tmp      a record on its way to replace that of a snapshot, while its labels are changed
 *
 * - What neither a key nor a name points to and nobody has locked is garbage.
 * - A snapshot is locked before the state is; the state is never held while waiting for a snapshot.
 * - All that happens under the state's lock is synchronous, so that it is short, and one unit in this thread too.
 */
export class StateDirectory {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /**
   * Make what is not there yet. `root` must exist.
   * @throws StrataError `FailedPrecondition`, if it belongs to another driver
   */
  static async open(root: string, driver: string): Promise<StateDirectory> {
    const state = new StateDirectory(root);
    const owner = `${root}/driver`;
    await state.locked(() => {
      const before = readIfThere(owner)?.trim();
      if (before !== undefined && before !== "" && before !== driver) {
        throw new StrataError(
          "FailedPrecondition",
          `${root} holds snapshots of the driver ${before}, not of ${driver}; give ${driver} a directory of its own`,
        );
      }
      for (const name of ["snapshots", "keys", "names", "trash"]) {
        mkdirSync(`${root}/${name}`, { recursive: true, mode: 0o700 });
      }
      failpoint("open.directories-made");
      if (before !== driver) writeFileSync(owner, `${driver}\n`, { mode: 0o600 });
      failpoint("open.owner-written");
    });
    return state;
  }

  /** Do `change` with the state to itself. */
  async locked<T>(change: () => T, signal?: AbortSignal): Promise<T> {
    using _lock = await FileLock.take(`${this.root}/lock`, "exclusive", { ...(signal && { signal }) });
    return change();
  }

  /**
   * Lock one snapshot against being mounted, unmounted, committed and removed by others.
   * @throws StrataError `NotFound`, if it is gone
   */
  async lockSnapshot({ directory, record }: Entry, signal?: AbortSignal): Promise<FileLock> {
    try {
      return await FileLock.take(this.path(directory), "exclusive", {
        create: false,
        ...(signal && { signal }),
      });
    } catch (error) {
      throw errnoCode(error) === "ENOENT" ? this.notFound(record.id) : error;
    }
  }

  path(directory: string): string {
    return `${this.root}/snapshots/${directory}`;
  }

  trashPath(directory: string): string {
    return `${this.root}/trash/${directory}`;
  }

  pointerPath(kind: PointerKind, id: string): string {
    return `${this.root}/${kind}/${id}`;
  }

  place({ directory, record }: Entry): SnapshotPlace {
    const parents = record.chain.map((parent) => this.path(parent));
    return { kind: record.kind, dir: this.path(directory), parents };
  }

  /** The directory that a key or name points to. */
  pointer(kind: PointerKind, id: string): string | undefined {
    try {
      return basename(readlinkSync(this.pointerPath(kind, id)));
    } catch (error) {
      if (errnoCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Let a key or name point to a snapshot: one symlink(2). */
  setPointer(kind: PointerKind, id: string, directory: string): void {
    symlinkSync(`../snapshots/${directory}`, this.pointerPath(kind, id));
  }

  /**
   * What a key or name stands for. Cost: constant.
   * @throws StrataError `Corrupt`, if it stands for nothing that can be read
   */
  find(id: string): Entry | undefined {
    return this.findIn("keys", id) ?? this.findIn("names", id);
  }

  findIn(kind: PointerKind, id: string): Entry | undefined {
    for (;;) {
      const directory = this.pointer(kind, id);
      if (directory === undefined) return undefined;
      const record = this.record(kind, directory);
      // Of another: a process was killed after it had let another snapshot take the place of this one.
      if (record !== undefined) return record.id === id ? { directory, record } : undefined;
      // No record: removed since, unless the pointer still says otherwise.
      if (this.pointer(kind, id) === directory) {
        throw new StrataError(
          "Corrupt",
          `snapshot "${id}" has lost its data in ${this.path(directory)}; remove it`,
        );
      }
    }
  }

  /** As {@link findIn}, and undefined too if it is damaged. */
  findReadable(kind: PointerKind, id: string): Entry | undefined {
    return unlessDamaged(() => this.findIn(kind, id));
  }

  /** As {@link find}. @throws StrataError `NotFound` */
  get(id: string): Entry {
    const entry = this.find(id);
    if (entry === undefined) throw this.notFound(id);
    return entry;
  }

  /**
   * The key or name that points to a directory, found by what the directory says of itself; so not if that is
   * damaged. Cost: constant.
   */
  pointedBy(directory: string): { kind: PointerKind; record: SnapshotRecord } | undefined {
    for (const kind of ["keys", "names"] as const) {
      const record = this.readableRecord(kind, directory);
      if (record !== undefined && this.pointer(kind, record.id) === directory) return { kind, record };
    }
    return undefined;
  }

  /** @throws StrataError `AlreadyExists` */
  assertFree(id: string): void {
    const kind = (["keys", "names"] as const).find((candidate) => this.pointer(candidate, id) !== undefined);
    if (kind === undefined) return;
    throw new StrataError(
      "AlreadyExists",
      `snapshot "${id}" exists already, as a ${kind === "keys" ? "key" : "name"}; remove it or choose another`,
    );
  }

  notFound(id: string): StrataError {
    return new StrataError("NotFound", `there is no snapshot "${id}" in ${this.root}`);
  }

  /** All keys or all names. */
  ids(kind: PointerKind): string[] {
    return readdirSync(`${this.root}/${kind}`);
  }

  /** The record of a directory, as what points to it from `kind`. */
  record(kind: PointerKind, directory: string): SnapshotRecord | undefined {
    const path = this.recordPath(kind, directory);
    const text = readIfThere(path);
    return text === undefined ? undefined : decodeRecord(text, path);
  }

  recordPath(kind: PointerKind, directory: string): string {
    return `${this.path(directory)}/${recordNames[kind]}`;
  }

  writeRecord(kind: PointerKind, { directory, record }: Entry): void {
    const path = this.recordPath(kind, directory);
    try {
      writeFileSync(path, encodeRecord(record), { mode: 0o600 });
    } catch (error) {
      rmSync(path, { force: true }); // On a full disk, a part of it would hold space.
      throw error;
    }
  }

  /**
   * Put a directory that nothing points to aside, to be destroyed. The caller holds the state and the snapshot; its
   * lock goes along.
   * @returns its path from now on. On a full btrfs that is the old one: a rename takes space there, a removal does not
   */
  moveToTrash(directory: string): string {
    for (const kind of ["keys", "names"] as const) {
      const parent = this.readableRecord(kind, directory)?.chain[0];
      if (parent !== undefined) this.removeChild(parent, directory);
    }
    failpoint("trash.parent-unmarked");
    const [from, to] = [this.path(directory), this.trashPath(directory)];
    try {
      renameSync(from, to);
    } catch (error) {
      if (errnoCode(error) === "ENOSPC" || errnoCode(error) === "EDQUOT") return from;
      throw error;
    }
    failpoint("trash.moved");
    return to;
  }

  /**
   * Mark a child of `parent`, which then cannot be removed. The mark is a link to the child's record, since that
   * takes no new inode, the costliest thing that prepare does.
   */
  addChild(parent: string, child: string, kind: PointerKind): void {
    try {
      linkSync(this.recordPath(kind, child), this.markPath(parent, child));
    } catch (error) {
      // A commit on top of the same parent was cut short before.
      if (errnoCode(error) !== "EEXIST") throw error;
    }
  }

  removeChild(parent: string, child: string): void {
    rmSync(this.markPath(parent, child), { force: true });
  }

  markPath(parent: string, child: string): string {
    return `${this.path(parent)}/children/${child}`;
  }

  /** As {@link record}, and undefined too if it is damaged. */
  readableRecord(kind: PointerKind, directory: string): SnapshotRecord | undefined {
    return unlessDamaged(() => this.record(kind, directory));
  }
}

/** What the interface tells of a snapshot. */
export function infoOf({ record }: Entry): SnapshotInfo {
  const { kind, id, parent, labels, createdAt, updatedAt } = record;
  return { kind, id, ...(parent !== undefined && { parent }), labels, createdAt, updatedAt };
}

function unlessDamaged<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isStrataError(error, "Corrupt")) return undefined;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
