import { existsSync, readdirSync, rmSync } from "node:fs";
import { temporaryOf } from "./atomic-file.ts";
import type { CallOptions, CleanupReport } from "./driver.ts";
import type { DriverCore } from "./driver-core.ts";
import { errnoCode, isStrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { FileLock } from "./file-lock.ts";
import { assertUnmounted } from "./mounts.ts";
import type { StateDirectory } from "./state-directory.ts";

/**
 * Reclaim what nothing points to: first mounts that only killed processes claimed, then trees that were never
 * finished, then all that was put aside.
 */
export async function cleanUp(core: DriverCore, { signal }: CallOptions): Promise<CleanupReport> {
  const { state, mechanism } = core;
  await releaseAbandonedMounts(core, signal);
  failpoint("cleanup.mounts-released");
  await wipeTemporaries(state, signal);
  const garbage = await putGarbageAside(state, signal);
  failpoint("cleanup.garbage-trashed");

  let removed = 0;
  let bytes = 0;
  const failures: unknown[] = [];
  const trash = readdirSync(`${state.root}/trash`).map((directory) => state.trashPath(directory));
  for (const path of new Set([...trash, ...garbage])) {
    signal?.throwIfAborted();
    using lock = tryLock(path);
    if (lock === undefined) continue; // Another process is destroying it.
    try {
      const usage = await mechanism.destroy(path, { ...(signal && { signal }) });
      failpoint("cleanup.snapshot-destroyed");
      removed += 1;
      bytes += usage.bytes;
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(error); // One that cannot be destroyed is no reason to keep the others.
    }
  }
  if (removed > 0) await mechanism.reclaim?.(state.root, { ...(signal && { signal }) });
  if (failures.length > 0) throw failures[0];
  return { removed, bytes };
}

async function releaseAbandonedMounts(core: DriverCore, signal: AbortSignal | undefined): Promise<void> {
  const { state } = core;
  for (const key of state.ids("keys")) {
    signal?.throwIfAborted();
    const entry = state.findReadable("keys", key);
    if (entry === undefined) continue;
    try {
      using lock = tryLock(state.path(entry.directory));
      if (lock !== undefined) await assertUnmounted(core, key, state.place(entry));
    } catch (error) {
      if (!isStrataError(error, "Busy")) throw error; // Still claimed, or files are open.
    }
  }
}

/** What a process that was killed in setLabels had written beside a record. */
async function wipeTemporaries(state: StateDirectory, signal: AbortSignal | undefined): Promise<void> {
  for (const directory of readdirSync(`${state.root}/snapshots`)) {
    signal?.throwIfAborted();
    for (const kind of ["keys", "names"] as const) {
      const temporary = temporaryOf(state.recordPath(kind, directory));
      if (!existsSync(temporary)) continue;
      // Who writes one holds the snapshot's lock.
      using lock = tryLock(state.path(directory));
      if (lock !== undefined) rmSync(temporary, { force: true });
    }
  }
}

/** @returns where it is from now on. Garbage stays garbage: nothing will ever point to it. */
async function putGarbageAside(state: StateDirectory, signal: AbortSignal | undefined): Promise<string[]> {
  const garbage: string[] = [];
  // In this order: what is made after the first line is not looked at.
  const directories = readdirSync(`${state.root}/snapshots`);
  const pointed = new Set<string | undefined>();
  for (const kind of ["keys", "names"] as const) {
    for (const id of state.ids(kind)) pointed.add(state.pointer(kind, id));
  }
  for (const directory of directories) {
    if (pointed.has(directory)) continue;
    await state.locked(() => {
      using lock = tryLock(state.path(directory));
      if (lock !== undefined && state.pointedBy(directory) === undefined) {
        garbage.push(state.moveToTrash(directory));
      }
    }, signal);
  }
  return garbage;
}

function tryLock(path: string): FileLock | undefined {
  try {
    return FileLock.tryTake(path, "exclusive", { create: false });
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
