import { chmodSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import {
  type CallOptions,
  type CreateOptions,
  copyTree,
  createDriver,
  type DriverMechanism,
  type DriverOptions,
  errnoCode,
  inTurns,
  type PlainLayout,
  type Problem,
  removeTree,
  type SnapshotPlace,
  type StorageDriver,
  treeUsage,
} from "@strata/core";
import { probe } from "./probe.ts";
import { bindReadonly, canBindReadonly, isMounted, unmount } from "./readonly-bind.ts";
import { recordTree, touchedSince } from "./tree-record.ts";

/** Options of {@link vfs}: those that every driver takes. */
export interface VfsOptions extends DriverOptions {}

/**
 * The driver that works everywhere: each snapshot is a whole tree in a plain directory, made as a copy of its
 * parent's. Where the file system can share blocks between files (btrfs, xfs), the copy does.
 *
 * - The mount of an active is its directory itself; so it needs no privilege and costs nothing.
 * - A view is a read-only bind mount of its parent's tree. An ordinary user, who cannot mount, gets a copy.
 * - An ordinary user's copy keeps what that user may set: not other owners, nor attributes that are root's.
 * - A chain can have 500 snapshots, as many as overlayfs can mount, so that what one driver takes the other takes.
 *
 * @throws as {@link createDriver}
 */
export function vfs(options: VfsOptions): Promise<StorageDriver> {
  return createDriver(mechanism, options);
}

/*
 * What is in a snapshot's directory:
 *
 *     tree/   the whole tree; a view that is mounted has none, but its parent's
 *     view/   where such a view is mounted
 *     record  what the tree was when it had just been copied, see tree-record.ts
 */
const mechanism: DriverMechanism = {
  name: "vfs",
  probe,
  create,
  layout,

  async mount(place) {
    bindReadonly(treeOf(place), viewPath(place));
    return viewPath(place);
  },

  async mountedAt(place) {
    if (!isBoundView(place)) return treeOf(place);
    return isMounted(viewPath(place)) ? viewPath(place) : undefined;
  },

  async unmount(place, force) {
    if (isBoundView(place)) unmount(viewPath(place), force);
  },

  async seal() {
    // A tree is whole as it is.
  },

  destroy: removeTree,

  async usage(place, options) {
    return isBoundView(place) ? { bytes: 0, inodes: 0 } : treeUsage(treeOf(place), options);
  },

  async check(place): Promise<Problem[]> {
    const tree = treeOf(place);
    return existsSync(tree)
      ? []
      : [{ subject: tree, message: "the tree is gone; remove the snapshot and make it anew" }];
  },
};

async function create(place: SnapshotPlace, options: CreateOptions): Promise<void> {
  const tree = `${place.dir}/tree`;
  const parent = parentTree(place);
  if (parent === undefined) {
    mkdirSync(tree);
    chmodSync(tree, 0o755); // Whatever the umask.
  }
  if (place.kind === "view" && canBindReadonly(parent ?? tree)) {
    mkdirSync(viewPath(place), { mode: 0o700 });
  } else if (parent !== undefined) {
    await copyTree(parent, tree, options);
    // A view's copy is not written to.
    if (place.kind === "active") await record(place, options);
  }
}

async function record(place: SnapshotPlace, options: CallOptions): Promise<void> {
  try {
    await inTurns(recordTree(treeOf(place), recordPath(place)), options);
  } catch (error) {
    if (errnoCode(error) !== "EACCES") throw error;
    // An ordinary user's tree with a directory that is closed to himself: found out by comparing all of it, then.
    rmSync(recordPath(place), { force: true });
  }
}

function layout(place: SnapshotPlace): PlainLayout {
  const base = parentTree(place);
  if (base === undefined) return { format: "plain", dir: treeOf(place) };
  const recorded = existsSync(recordPath(place));
  return { format: "plain", dir: treeOf(place), base, ...(recorded && { touched: () => touched(place) }) };
}

async function* touched(place: SnapshotPlace): AsyncGenerator<Buffer> {
  let steps = 0;
  for (const path of touchedSince(recordPath(place), treeOf(place))) {
    if (++steps % stepsATurn === 0) await setImmediate();
    if (path !== undefined) yield path;
  }
}

/** Some milliseconds of walking, after which others get their turn. */
const stepsATurn = 2000;

function treeOf(place: SnapshotPlace): string {
  const parent = parentTree(place);
  return parent !== undefined && isBoundView(place) ? parent : `${place.dir}/tree`;
}

function parentTree({ parents: [parent] }: SnapshotPlace): string | undefined {
  return parent === undefined ? undefined : `${parent}/tree`;
}

function recordPath({ dir }: SnapshotPlace): string {
  return `${dir}/record`;
}

function viewPath({ dir }: SnapshotPlace): string {
  return `${dir}/view`;
}

function isBoundView(place: SnapshotPlace): boolean {
  return place.kind === "view" && existsSync(viewPath(place));
}
