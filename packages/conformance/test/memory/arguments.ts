import { type Quota, type SnapshotFilter, type SnapshotInfo, StrataError } from "@strata/core";
import type { Entry } from "./entry.ts";

/** @throws TypeError */
export function assertLabels(labels: unknown): void {
  const values = typeof labels === "object" && labels !== null && !Array.isArray(labels);
  if (!values || Object.values(labels).some((label) => typeof label !== "string")) {
    throw new TypeError("labels must be an object of strings");
  }
}

/** @throws StrataError `FailedPrecondition`, `Unsupported` */
export function assertParent({ id, parent }: Entry, given: string | undefined): void {
  if (given === undefined || given === parent?.id) return;
  if (parent !== undefined) {
    throw new StrataError("FailedPrecondition", `snapshot "${id}" was prepared on "${parent.id}"`);
  }
  throw new StrataError("Unsupported", `memory cannot commit "${id}" on a parent given later: it is whole`);
}

/** @throws TypeError */
export function assertQuota(quota: Quota): void {
  for (const limit of [quota.bytes, quota.inodes]) {
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
      throw new TypeError(`a quota must be a positive integer, not ${limit}`);
    }
  }
}

/** Whether a snapshot is one of those that were asked for. */
export function matches(info: SnapshotInfo, { kind, parent, labels = {} }: SnapshotFilter): boolean {
  return (
    (kind === undefined || info.kind === kind) &&
    (parent === undefined || info.parent === parent) &&
    Object.entries(labels).every(([name, value]) => info.labels[name] === value)
  );
}
