import { unlinkSync } from "node:fs";
import { childrenOf } from "./children.ts";
import type { DriverCore } from "./driver-core.ts";
import { errnoCode, StrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { FileLock } from "./file-lock.ts";
import type { SnapshotPlace } from "./mechanism.ts";
import { assertUnmounted } from "./mounts.ts";
import type { PointerKind, StateDirectory } from "./state-directory.ts";

/**
 * Free a key or name and put its tree aside. The commit point is the unlink(2) of the pointer; a kill after it
 * leaves garbage. What is damaged can be removed too.
 */
export async function removeSnapshot(core: DriverCore, id: string): Promise<void> {
  const { state } = core;
  const { kind, directory } = pointerTo(state, id);
  using lock = await lockIfThere(state.path(directory));
  if (lock !== undefined) await assertUnmounted(core, id, placeAnyhow(state, kind, id, directory));
  await state.locked(() => {
    if (state.pointer(kind, id) !== directory) throw state.notFound(id);
    assertChildless(state, id, directory);
    unlinkSync(state.pointerPath(kind, id));
    failpoint("remove.pointer-removed");
    if (lock !== undefined) state.moveToTrash(directory);
  });
}

/** Undo the making of a snapshot that nothing points to, for who holds its lock. */
export async function discard({ state, mechanism }: DriverCore, directory: string): Promise<void> {
  try {
    const path = await state.locked(() => state.moveToTrash(directory));
    await mechanism.destroy(path, {});
  } catch {
    // The error that led here matters more, and what is left is garbage for the next cleanup.
  }
}

function pointerTo(state: StateDirectory, id: string): { kind: PointerKind; directory: string } {
  for (const kind of ["keys", "names"] as const) {
    const directory = state.pointer(kind, id);
    if (directory !== undefined) return { kind, directory };
  }
  throw state.notFound(id);
}

function placeAnyhow(state: StateDirectory, kind: PointerKind, id: string, directory: string): SnapshotPlace {
  const entry = state.findReadable(kind, id);
  if (entry !== undefined) return state.place(entry);
  return { kind: kind === "keys" ? "active" : "committed", dir: state.path(directory), parents: [] };
}

function assertChildless(state: StateDirectory, id: string, directory: string): void {
  const named = 3;
  const children = childrenOf(state, directory, named + 1);
  if (children.length === 0) return;
  const list = children.slice(0, named).map((child) => `"${child}"`);
  const others = children.length > named ? " and others" : "";
  throw new StrataError(
    "FailedPrecondition",
    `snapshot "${id}" is the parent of ${list.join(", ")}${others}; remove its children first`,
  );
}

async function lockIfThere(path: string): Promise<FileLock | undefined> {
  try {
    return await FileLock.take(path, "exclusive", { create: false });
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
