import { readdirSync, unlinkSync } from "node:fs";
import type { CallOptions, CleanupReport } from "./driver.ts";
import type { DriverCore } from "./driver-core.ts";
import { errnoCode, isStrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { FileLock } from "./file-lock.ts";
import { isClaim } from "./mount-claims.ts";
import { assertUnmounted } from "./mounts.ts";
import { wipeRecordTemporaries } from "./record-temporaries.ts";
import type { StateDirectory } from "./state-directory.ts";
import { inTurns } from "./turns.ts";

/**
 * Reclaim what nothing points to: first mounts that only killed processes claimed, then trees that were never
 * finished, then all that was put aside.
 */
export async function cleanUp(core: DriverCore, options: CallOptions): Promise<CleanupReport> {
  const { state, mechanism } = core;
  const { signal } = options;
  const { claimed, doubtful } = await inTurns(lookAtKeys(state), options);
  if (doubtful) await state.locked(() => dropKeysOfReplaced(state), signal);
  await releaseAbandonedMounts(core, claimed, signal);
  failpoint("cleanup.mounts-released");
  const tidy = !doubtful && (await hasPointersForAll(state, signal));
  const garbage = tidy ? [] : await putGarbageAside(state, options);
  failpoint("cleanup.garbage-trashed");

  let removed = 0;
  let bytes = 0;
  const failures: unknown[] = [];
  const trash = wipeRecordTemporaries(state).map((directory) => state.trashPath(directory));
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

interface KeysFound {
  /** Of snapshots with claims on their mounts, be it by killed processes. */
  readonly claimed: readonly string[];
  /** Whether a key may point to nothing, or to what was committed: a name points to it as well, or it was replaced. */
  readonly doubtful: boolean;
}

function* lookAtKeys(state: StateDirectory): Generator<void, KeysFound> {
  const claimed: string[] = [];
  let doubtful = false;
  for (const key of state.ids("keys")) {
    yield;
    const files = filesIn(state.pointerPath("keys", key));
    if (files === undefined || files.includes("children")) doubtful = true;
    if (files?.some(isClaim)) claimed.push(key);
  }
  return { claimed, doubtful };
}

/** Keys of snapshots that took the place of others, which a killed process left pointing to what these were. */
function dropKeysOfReplaced(state: StateDirectory): void {
  for (const key of state.ids("keys")) {
    const directory = state.pointer("keys", key);
    const record = directory && state.readableRecord("keys", directory);
    if (record && record.id !== key) unlinkSync(state.pointerPath("keys", key));
  }
}

/**
 * Undo the mounts that only killed processes claimed.
 * @param claimed - keys; of those without claims, nothing is mounted
 */
export async function releaseAbandonedMounts(
  core: DriverCore,
  claimed: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { state } = core;
  for (const key of claimed) {
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

/**
 * Whether there are as many keys and names as directories of snapshots. No two point to one directory, and no key to what
 * was replaced any more; so there is no garbage then, unless a name has lost its directory. That is damage, which check
 * tells of; what it hides here is found once the name has been removed.
 *
 * Reading the listings takes less than a third of what reading all pointers takes too, which every removal of a container
 * would have to wait for. All with the state locked, where nothing comes or goes in between.
 */
function hasPointersForAll(state: StateDirectory, signal: AbortSignal | undefined): Promise<boolean> {
  return state.locked(
    () => directoriesOf(state).length === state.ids("keys").length + state.ids("names").length,
    signal,
  );
}

/** @returns where it is from now on. Garbage stays garbage: nothing will ever point to it. */
async function putGarbageAside(state: StateDirectory, options: CallOptions): Promise<string[]> {
  const garbage: string[] = [];
  for (const directory of await inTurns(findUnpointed(state), options)) {
    await state.locked(() => {
      using lock = tryLock(state.path(directory));
      if (lock !== undefined && state.pointedBy(directory) === undefined) {
        garbage.push(state.moveToTrash(directory));
      }
    }, options.signal);
  }
  return garbage;
}

function* findUnpointed(state: StateDirectory): Generator<void, string[]> {
  // In this order: what is made after the first line is not looked at.
  const directories = directoriesOf(state);
  const pointed = new Set<string | undefined>();
  for (const kind of ["keys", "names"] as const) {
    for (const id of state.ids(kind)) {
      yield;
      pointed.add(state.pointer(kind, id));
    }
  }
  return directories.filter((directory) => !pointed.has(directory));
}

function directoriesOf({ root }: StateDirectory): string[] {
  return readdirSync(`${root}/snapshots`);
}

/** What is in a snapshot's directory, or undefined if it is gone. */
function filesIn(path: string): string[] | undefined {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function tryLock(path: string): FileLock | undefined {
  try {
    return FileLock.tryTake(path, "exclusive", { create: false });
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
