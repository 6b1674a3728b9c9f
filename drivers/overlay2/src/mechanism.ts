import { existsSync, mkdirSync, rmSync } from "node:fs";
import {
  type CallOptions,
  type Capabilities,
  type DriverMechanism,
  errnoCode,
  type OverlayLayout,
  type Problem,
  removeTree,
  type SnapshotPlace,
  StrataError,
  treeUsage,
  type Usage,
} from "@strata/core";
import { AT_FDCWD, MNT_DETACH, statxOrUndefined, UMOUNT_NOFOLLOW, umount2 } from "@strata/linux";
import { attachOverlay, type Upper } from "./overlay-mount.ts";
import { probe } from "./probe.ts";
import { makeRoot } from "./root-directory.ts";

/**
 * overlayfs as a mechanism. In a snapshot's directory:
 *
 *     diff/     what the snapshot changes, in overlayfs's own form
 *     work/     overlayfs's work directory   \
 *     merged/   where the tree is mounted     } from the first mount to the commit
 *     empty/    stands in for a lower        /
 *
 * A committed snapshot is only ever a lower, which overlayfs never writes to.
 */
export class OverlayMechanism implements DriverMechanism {
  readonly name = "overlay2";
  readonly #volatile: boolean;

  /** @param volatile - whether writes may be lost in a power cut */
  constructor(volatile: boolean) {
    this.#volatile = volatile;
  }

  probe(root: string): Promise<Capabilities> {
    return probe(root);
  }

  async create({ dir, parents }: SnapshotPlace): Promise<void> {
    const [parent] = parents;
    makeRoot(directories(dir).diff, parent === undefined ? undefined : directories(parent).diff);
  }

  layout({ dir, parents }: SnapshotPlace): OverlayLayout {
    const lowers = parents.map((parent) => directories(parent).diff);
    return { format: "overlay", dir: directories(dir).diff, lowers };
  }

  async mount(place: SnapshotPlace): Promise<string> {
    const { merged } = directories(place.dir);
    makeDirectory(merged);
    attachOverlay({ lowers: lowersOf(place), upper: this.#upperOf(place) }, merged);
    return merged;
  }

  async mountedAt({ dir }: SnapshotPlace): Promise<string | undefined> {
    const { merged } = directories(dir);
    return statxOrUndefined(AT_FDCWD, merged)?.mountRoot === true ? merged : undefined;
  }

  async unmount({ dir }: SnapshotPlace, force: boolean): Promise<void> {
    const { merged } = directories(dir);
    try {
      umount2(merged, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0));
    } catch (error) {
      if (errnoCode(error) !== "EBUSY") throw error;
      throw new StrataError(
        "Busy",
        `${merged} is in use: a process has files open or its working directory in it, or something is mounted in it; ` +
          `end that, or unmount by force`,
        { cause: error },
      );
    }
  }

  async seal({ dir }: SnapshotPlace): Promise<void> {
    const { work, merged, empty } = directories(dir);
    for (const path of [work, merged, empty]) await removeTree(path);
  }

  destroy(dir: string, options: CallOptions): Promise<Usage> {
    return removeTree(dir, options);
  }

  usage({ dir }: SnapshotPlace, options: CallOptions): Promise<Usage> {
    return treeUsage(directories(dir).diff, options);
  }

  async check({ dir }: SnapshotPlace): Promise<Problem[]> {
    const { diff } = directories(dir);
    if (existsSync(diff)) return [];
    return [
      { subject: diff, message: "the layer's directory is gone; remove the snapshot and make it anew" },
    ];
  }

  #upperOf({ kind, dir }: SnapshotPlace): Upper | undefined {
    if (kind === "view") return undefined;
    const { diff, work } = directories(dir);
    makeDirectory(work);
    // A volatile mount marks its work directory, and overlayfs then refuses it until somebody has looked. There is
    // nothing to look at: durability "none" says that a power cut may spoil the tree.
    rmSync(`${work}/work/incompat`, { recursive: true, force: true });
    return { dir: diff, work, volatile: this.#volatile };
  }
}

function directories(snapshot: string) {
  return {
    diff: `${snapshot}/diff`,
    work: `${snapshot}/work`,
    merged: `${snapshot}/merged`,
    empty: `${snapshot}/empty`,
  };
}

/**
 * The directories to mount, the top one first. overlayfs wants one at least below an upper, and two without an upper;
 * empty ones make up for it, at the bottom, so that the root's attributes come from the nearest parent.
 */
function lowersOf({ kind, dir, parents }: SnapshotPlace): string[] {
  const lowers = parents.map((parent) => directories(parent).diff);
  const { diff, empty } = directories(dir);
  const padding = kind === "view" ? [diff, empty] : [empty];
  if (lowers.length >= padding.length) return lowers;
  makeDirectory(empty);
  return [...lowers, ...padding].slice(0, padding.length);
}

function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
