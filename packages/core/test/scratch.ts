import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDriver,
  type DriverOptions,
  removeTree,
  type SnapshotInfo,
  type StorageDriver,
} from "@strata/core";
import { afterEach } from "vitest";
import { type DirectoryOptions, directoryMechanism } from "./fixtures/directory-mechanism.mjs";

const directories: string[] = [];

afterEach(async () => {
  for (const directory of directories.splice(0)) await removeTree(directory);
});

/** A directory that is gone after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "core-"));
  directories.push(directory);
  return directory;
}

/** A driver of plain directories, in a directory of its own unless `root` is given. */
export function directoryDriver(
  options: DirectoryOptions & Partial<DriverOptions> = {},
): Promise<StorageDriver> {
  const { root = scratch(), durability = "none", ...mechanism } = options;
  return createDriver(directoryMechanism(mechanism), { root, durability });
}

/** Commit an empty layer. */
export async function committed(driver: StorageDriver, name: string, parent?: string): Promise<SnapshotInfo> {
  const active = await driver.prepare(`${name}-key`, parent);
  return active.commit(name);
}

/** The ids of all snapshots, sorted. */
export async function idsOf(driver: StorageDriver): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of driver.list()) ids.push(id);
  return ids.sort();
}

/** What the state on disk has that it should not have: directories without pointer, pointers without directory. */
export function litter({ root }: StorageDriver): string[] {
  const list = (name: string) => readdirSync(join(root, name));
  const directories = new Set(list("snapshots"));
  const trash = list("trash").map((name) => `trash/${name}`);
  const pointers = [...list("keys"), ...list("names")];
  return directories.size === pointers.length
    ? trash
    : [...trash, `${directories.size} directories, ${pointers}`];
}
