import { existsSync, linkSync, readdirSync, renameSync, unlinkSync } from "node:fs";
import { AT_FDCWD, RENAME_EXCHANGE, renameat2 } from "@strata/linux";
import { errnoCode } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import type { Entry, PointerKind, StateDirectory } from "./state-directory.ts";

/**
 * Let a snapshot that is ready to be committed take the place of the one that has its name: it gets the name of that
 * one's directory, so that all that was started from there goes on from the new tree. For who holds the state.
 *
 * The commit point is one rename(2). Killed before it, the process leaves an active as it was; killed after it, a key
 * that points to what was replaced, and counts for nothing, or to nothing, if that was lost.
 * @param committed - its record is written already
 * @returns whether there was such a place: of a name that is gone, children may still know it
 */
export function takePlace(state: StateDirectory, committed: Entry, key: string): boolean {
  const { directory, record } = committed;
  const name = record.id;
  const children = startedFrom(state, name);
  const before = state.pointer("names", name);
  const place = before ?? children[0]?.record.chain[0];
  if (place === undefined) return false;

  for (const child of marksIn(state, place)) {
    linkUnlessThere(state.markPath(place, child), state.markPath(directory, child));
  }
  // Its own marks may be lost, with all the rest.
  for (const { kind, directory: child, record } of children) {
    if (record.chain[0] === place) state.addChild(directory, child, kind);
  }
  const parent = record.chain[0];
  if (parent !== undefined) {
    linkUnlessThere(state.recordPath("names", directory), state.markPath(parent, place));
  }
  failpoint("replace.marked");
  const [from, to] = [state.path(directory), state.path(place)];
  const isExchange = existsSync(to);
  if (isExchange) renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
  else renameSync(from, to);
  failpoint("replace.renamed");
  if (before === undefined) state.setPointer("names", name, place);
  unlinkSync(state.pointerPath("keys", key));
  failpoint("replace.key-removed");
  if (parent !== undefined) state.removeChild(parent, directory);
  if (isExchange) state.moveToTrash(directory);
  return true;
}

/** The snapshots whose parent has a name, found by their own records. Cost: one look at each key and name. */
function startedFrom(state: StateDirectory, name: string): (Entry & { kind: PointerKind })[] {
  return (["keys", "names"] as const).flatMap((kind) =>
    state.ids(kind).flatMap((id) => {
      const entry = state.findReadable(kind, id);
      return entry?.record.parent === name ? [{ ...entry, kind }] : [];
    }),
  );
}

function marksIn(state: StateDirectory, directory: string): string[] {
  try {
    return readdirSync(`${state.path(directory)}/children`);
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return [];
    throw error;
  }
}

function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (errnoCode(error) !== "EEXIST") throw error;
  }
}
