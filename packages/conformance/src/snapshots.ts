import assert from "node:assert/strict";
import type { ActiveSnapshot, SnapshotFilter, SnapshotInfo, StorageDriver, ViewSnapshot } from "@strata/core";

/** Commit an empty layer. */
export async function commitEmpty(
  driver: StorageDriver,
  name: string,
  parent?: string,
): Promise<SnapshotInfo> {
  const active = await driver.prepare(`${name}.key`, parent);
  return await active.commit(name);
}

/** Get hold of an active snapshot. */
export async function openActive(driver: StorageDriver, key: string): Promise<ActiveSnapshot> {
  const snapshot = await driver.open(key);
  assert(snapshot.kind === "active", `"${key}" is ${snapshot.kind}, not active`);
  return snapshot;
}

/** Make one of the two kinds that can be mounted. */
export function make(
  driver: StorageDriver,
  kind: "active" | "view",
  key: string,
  parent?: string,
): Promise<ActiveSnapshot | ViewSnapshot> {
  return kind === "active" ? driver.prepare(key, parent) : driver.view(key, parent);
}

/** The ids in a list, sorted; each comes once. */
export async function listIds(driver: StorageDriver, filter?: SnapshotFilter): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of driver.list(filter)) ids.push(id);
  return ids.sort();
}
