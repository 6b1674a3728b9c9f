import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { AT_FDCWD, RENAME_EXCHANGE, renameat2 } from "@strata/linux";
import { releaseAbandonedMounts } from "./cleanup.ts";
import type { DriverCore } from "./driver-core.ts";
import { errnoCode, StrataError } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { FileLock } from "./file-lock.ts";
import { MountClaims } from "./mount-claims.ts";
import { recordTemporary } from "./record-temporaries.ts";
import type { Entry, PointerKind, StateDirectory } from "./state-directory.ts";

/**
 * Let a snapshot that is ready to be committed take the place of the one that has its name: it gets the name of that
 * one's directory, so that all that was started from there goes on from the new tree. For who holds the state.
 *
 * The commit point is one rename(2). Killed before it, the process leaves an active as it was; killed after it, a key
 * that points to what was replaced, whose record is of another: so it counts for nothing.
 * @param committed - its record is written already, and durable
 * @returns whether there was such a place: of a name that is gone, children may still know it
 * @throws StrataError `Busy`, if the tree that is there is in use
 * @throws StrataError `FailedPrecondition`, if nobody can tell whether there was one
 */
export function takePlace(core: DriverCore, committed: Entry, key: string): boolean {
  const { state } = core;
  const { directory, record } = committed;
  const name = record.id;
  const children = startedFrom(state, name);
  const before = state.pointer("names", name);
  const place = before ?? children[0]?.record.chain[0] ?? lostPlace(state, name);
  if (place === undefined) return false;

  assertUnused(core, name, place);
  // Lost trees get a place, too. A key that points here looks by the children as if it had been committed, see cleanUp.
  mkdirSync(`${state.path(place)}/children`, { recursive: true, mode: 0o700 });
  using _lock = lockPlace(state, name, place);
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
  disownPlace(state, committed, place);
  failpoint("replace.disowned");
  renameat2(AT_FDCWD, state.path(directory), AT_FDCWD, state.path(place), RENAME_EXCHANGE);
  failpoint("replace.renamed");
  if (before === undefined) state.setPointer("names", name, place);
  unlinkSync(state.pointerPath("keys", key));
  failpoint("replace.key-removed");
  if (parent !== undefined) state.removeChild(parent, directory);
  state.moveToTrash(directory);
  return true;
}

/** Undo the mounts on top of a committed snapshot that only killed processes claimed, or that a start of the host ended. */
export async function releaseMountsAbove(
  core: DriverCore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { state } = core;
  const place = state.pointer("names", name);
  if (place !== undefined) await releaseAbandonedMounts(core, keysAbove(state, place), signal);
}

/** @throws StrataError `Busy` */
function assertUnused({ state, capabilities }: DriverCore, name: string, place: string): void {
  const isMade = (child: string) =>
    state.pointedBy(child) === undefined && FileLock.isHeld(state.path(child));
  if (marksIn(state, place).some(isMade))
    throw busy(name, "a snapshot is just being made from it; try again");
  if (!capabilities.sharesParent.supported) return;
  for (const key of keysAbove(state, place)) {
    const directory = state.pointer("keys", key);
    const claims = directory && new MountClaims(state.path(directory));
    if (claims && (claims.persistent || claims.holders().length > 0)) {
      throw busy(name, `"${key}" on top of it is mounted; unmount that first`);
    }
  }
}

/** Against others who write labels, or are about to remove it. @throws StrataError `Busy` */
function lockPlace(state: StateDirectory, name: string, place: string): FileLock {
  const lock = FileLock.tryTake(state.path(place), "exclusive", { create: false });
  if (lock === undefined) throw busy(name, "another process is working on it; try again");
  return lock;
}

function busy(name: string, why: string): StrataError {
  return new StrataError("Busy", `snapshot "${name}" cannot be replaced: ${why}`);
}

/**
 * Let the record that counts for a key which points to a place be that of its name, so that no key stands for it: the
 * key of the new tree will point to it for a moment, and may be the one that the old tree was made under.
 */
function disownPlace(state: StateDirectory, committed: Entry, place: string): void {
  const temporary = recordTemporary(state, place);
  rmSync(temporary, { force: true });
  linkSync(state.recordPath("names", committed.directory), temporary);
  renameSync(temporary, state.recordPath("keys", place));
}

function keysAbove(state: StateDirectory, place: string): string[] {
  return state.ids("keys").filter((key) => state.findReadable("keys", key)?.record.chain.includes(place));
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

/** What a name pointed to that is gone, where no child of it can be read: what is further above may know it. */
function lostPlace(state: StateDirectory, name: string): string | undefined {
  const known = new Set(state.ids("names").map((id) => state.pointer("names", id)));
  const lost = new Map<string, string>();
  for (const kind of ["keys", "names"] as const) {
    for (const id of state.ids(kind)) {
      const chain = state.findReadable(kind, id)?.record.chain ?? [];
      for (const directory of chain) if (!known.has(directory)) lost.set(directory, id);
    }
  }
  for (const directory of lost.keys()) {
    if (state.readableRecord("names", directory)?.id === name) return directory;
  }
  const [above] = lost.values();
  if (above === undefined) return undefined;
  const message = `"${above}" is on top of a snapshot that has lost its name, which may be "${name}"; remove "${above}" first`;
  throw new StrataError("FailedPrecondition", message);
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
