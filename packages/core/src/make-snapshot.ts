import { mkdirSync, rmSync } from "node:fs";
import type { PrepareOptions, Quota } from "./driver.ts";
import { chainOn, type DriverCore } from "./driver-core.ts";
import { StrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { FileLock } from "./file-lock.ts";
import { randomName } from "./ids.ts";
import type { CreateOptions } from "./mechanism.ts";
import { discard } from "./remove-snapshot.ts";
import type { Entry } from "./state-directory.ts";

/**
 * Make an active or a view: its directory first, locked, and marked as its parent's child; then, with the state
 * free for others, its tree; and last the key. A kill before that leaves garbage that is not locked.
 */
export async function makeSnapshot(
  core: DriverCore,
  kind: "active" | "view",
  key: string,
  parent: string | undefined,
  { labels = {}, quota, signal }: PrepareOptions,
): Promise<Entry> {
  const { mechanism, state } = core;
  assertQuota(core, quota);
  signal?.throwIfAborted();

  const now = new Date();
  const { entry, lock } = await state.locked(() => {
    state.assertFree(key);
    const chain = parent === undefined ? [] : chainOn(core, parent);
    const record = { kind, id: key, parent, chain, labels, createdAt: now, updatedAt: now };
    return begin(core, { directory: randomName(), record });
  }, signal);

  using _lock = lock;
  try {
    const options: CreateOptions = { ...(quota && { quota }), ...(signal && { signal }) };
    await mechanism.create(state.place(entry), options);
    failpoint("prepare.tree-made");
    await state.locked(() => {
      state.assertFree(key);
      state.setPointer("keys", key, entry.directory);
      failpoint("prepare.key-set");
    }, signal);
    return entry;
  } catch (error) {
    await discard(core, entry.directory);
    throw error;
  }
}

function begin({ state }: DriverCore, entry: Entry): { entry: Entry; lock: FileLock } {
  const path = state.path(entry.directory);
  mkdirSync(path, { mode: 0o700 });
  failpoint("prepare.directory-made");
  let lock: FileLock | undefined;
  try {
    lock = FileLock.tryTake(path, "exclusive", { create: false });
    if (lock === undefined) throw new StrataError("Busy", `${path} was locked as soon as it was there`);
    state.writeRecord("keys", entry);
    failpoint("prepare.record-written");
    const parent = entry.record.chain[0];
    if (parent !== undefined) {
      state.addChild(parent, entry.directory, "keys");
      failpoint("prepare.parent-marked");
    }
    return { entry, lock };
  } catch (error) {
    rmSync(path, { recursive: true });
    lock?.release();
    throw error;
  }
}

function assertQuota({ capabilities, mechanism }: DriverCore, quota: Quota | undefined): void {
  if (quota === undefined) return;
  const limits = [
    { name: "bytes", value: quota.bytes, capability: capabilities.quotaBytes },
    { name: "inodes", value: quota.inodes, capability: capabilities.quotaInodes },
  ];
  for (const { name, value, capability } of limits) {
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value <= 0) {
      throw new TypeError(`quota.${name} must be a positive integer, not ${value}`);
    }
    if (!capability.supported) {
      throw new StrataError(
        "Unsupported",
        `${mechanism.name} cannot enforce a quota of ${name} here: ${capability.reason}; leave quota.${name} out`,
      );
    }
  }
}
