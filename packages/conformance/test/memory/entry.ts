import { type Labels, type Mount, type SnapshotInfo, type SnapshotKind, StrataError } from "@strata/core";
import type { Tree } from "./trees.ts";

/** What the driver knows of one snapshot. */
export interface Entry {
  kind: SnapshotKind;
  id: string;
  parent: Entry | undefined;
  labels: Labels;
  readonly createdAt: Date;
  updatedAt: Date;
  /** A view has its parent's. */
  readonly tree: Tree;
  removed: boolean;
  /** Where it is mounted, as long as somebody holds a mount of it or it is mounted persistently. */
  mountedAt: string | undefined;
  readonly mounts: Set<Mount>;
  persistent: boolean;
}

export function infoOf({ kind, id, parent, labels, createdAt, updatedAt }: Entry): SnapshotInfo {
  return {
    kind,
    id,
    ...(parent && { parent: parent.id }),
    labels: { ...labels },
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}

export function hasOwnTree({ kind, parent }: Entry): boolean {
  return kind !== "view" || parent === undefined;
}

/** The length of the chain that ends with it. */
export function depthOf(entry: Entry | undefined): number {
  return entry === undefined ? 0 : 1 + depthOf(entry.parent);
}

export function notFound(id: string): StrataError {
  return new StrataError("NotFound", `there is no snapshot "${id}"`);
}

/** @throws StrataError `NotFound`, `FailedPrecondition`, if the snapshot is not any more what a handle says */
export function assertCurrent(entry: Entry, id: string): void {
  if (entry.removed) throw notFound(id);
  if (entry.id !== id) {
    throw new StrataError(
      "FailedPrecondition",
      `snapshot "${id}" is not active any more: it was committed as "${entry.id}"`,
    );
  }
}

/** @throws StrataError `Busy` */
export function assertUnmounted({ id, mountedAt }: Entry): void {
  if (mountedAt === undefined) return;
  throw new StrataError("Busy", `snapshot "${id}" is mounted at ${mountedAt}; unmount it first`);
}
