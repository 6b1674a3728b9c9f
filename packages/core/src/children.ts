import { type Dir, opendirSync } from "node:fs";
import { errnoCode } from "./errors.ts";
import { FileLock } from "./file-lock.ts";
import type { StateDirectory } from "./state-directory.ts";

/**
 * The ids of up to `limit` snapshots that were started from a committed one, for a caller who holds the state.
 * A mark that a killed process left is wiped; so the cost is that of the first real children.
 */
export function childrenOf(state: StateDirectory, directory: string, limit: number): string[] {
  const children: string[] = [];
  for (const child of marks(state, directory)) {
    const id = childId(state, directory, child);
    if (id === undefined) state.removeChild(directory, child);
    else if (children.push(id) === limit) break;
  }
  return children;
}

/** Read one after the other, since a parent can have ten thousands. */
function* marks(state: StateDirectory, directory: string): Generator<string, void> {
  const children = openIfThere(`${state.path(directory)}/children`);
  try {
    for (let mark = children?.readSync(); mark; mark = children?.readSync()) yield mark.name;
  } finally {
    children?.closeSync();
  }
}

function openIfThere(path: string): Dir | undefined {
  try {
    return opendirSync(path);
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function childId(state: StateDirectory, parent: string, child: string): string | undefined {
  const pointed = state.pointedBy(child);
  if (pointed?.record.chain[0] === parent) return pointed.record.id;
  // Not started from here, but perhaps in the middle of it: prepare, or a commit on top of another parent.
  if (FileLock.isHeld(state.path(child))) return state.readableRecord("keys", child)?.id;
  return undefined;
}
