import { readSync } from "node:fs";
import { type CallOptions, type LayerLayout, toStrataError } from "@strata/core";
import { fstatx, type Timespec } from "@strata/linux";
import type { LayerEntry } from "../tar/entry.ts";
import { encodeHeader, endOfArchive, paddingAfter } from "../tar/tar-writer.ts";
import type { ChangeNode } from "./change-tree.ts";
import { Chunks } from "./chunks.ts";
import { inodeKey, isDirectory, isRegular } from "./entries.ts";
import { findChanges } from "./find-changes.ts";
import { describeEntry, describeWhiteout } from "./layer-entry.ts";
import type { OpenedEntry } from "./opened-entry.ts";
import { changedWhileRead, readError } from "./read-error.ts";
import { streamInTurns } from "./stream-in-turns.ts";
import { type Visit, walk } from "./walk.ts";

export interface DiffOptions extends CallOptions {
  /**
   * What was modified later than this is written as modified then, so that building the same again gives the same
   * bytes. @defaultValue times are written as they are
   * @see reproducible-builds.org, "SOURCE_DATE_EPOCH"
   */
  readonly clampMtime?: Date;
}

/**
 * The tar archive of what a layer changes against its parent, or of its whole tree if it has none.
 *
 * Canonical: the same change gives the same bytes, under every driver and on every run.
 * - Entries as {@link changes} lists them, a directory before what is in it, siblings sorted bytewise; in a directory
 *   its whiteouts come first, one for each name deleted. There are no opaque markers.
 * - If one name of a file with several changed, all its names in the tree are in the archive: the first as the file,
 *   the others as links to it. (Under overlay these are the names that share the copied-up file.)
 * - Metadata are the tree's own, but for {@link DiffOptions.clampMtime}; a directory that is only the parent of a change
 *   has its, too. User and group names, access and change times are left out. Sparse files are written with their holes
 *   as zeros. See the header encoder for the form of an entry.
 * - Nothing changed: the archive has no entry.
 * - A directory on which something else is mounted is in the archive of a whole tree, but nothing below it.
 *
 * Cost: that of {@link changes}, then reading what is in the archive. Memory: a node a change, and chunks of 1 MiB.
 * @throws StrataError `Busy`, if a file changes while it is read
 * @throws StrataError `Unsupported`, for what a layer cannot hold: a name that begins with `.wh.`, an extended
 *   attribute with `=` in its name
 */
export async function* diff(layout: LayerLayout, options: DiffOptions = {}): AsyncGenerator<Buffer> {
  try {
    const changes = hasParent(layout) ? await findChanges(layout, options) : undefined;
    yield* streamInTurns(archive(layout, changes, options.clampMtime), options);
  } catch (error) {
    throw toStrataError(error, `diff of ${layout.dir}`);
  }
}

/** The archive's bytes, and nothing after each entry that made no chunk full. */
function* archive(
  layout: LayerLayout,
  changes: ChangeNode | undefined,
  clampMtime: Date | undefined,
): Generator<Buffer | undefined, void> {
  const chunks = new Chunks();
  const clamp = clampTo(clampMtime);
  const firstNames = new Map<string, Buffer>();
  for (const visit of walk(layout, changes)) {
    yield;
    try {
      yield* member(visit, firstNames, clamp, chunks);
    } catch (error) {
      throw readError(error, visit.path);
    }
  }
  yield* chunks.append(endOfArchive);
  yield* chunks.rest();
}

function hasParent(layout: LayerLayout): boolean {
  return layout.format === "plain" ? layout.base !== undefined : layout.lowers.length > 0;
}

function* member(
  visit: Visit,
  firstNames: Map<string, Buffer>,
  clamp: (entry: LayerEntry) => LayerEntry,
  chunks: Chunks,
): Generator<Buffer> {
  if (visit.kind === "whiteout") {
    yield* chunks.append(encodeHeader(describeWhiteout(visit.path)));
    return;
  }
  const { path, entry } = visit;
  const firstName = otherName(path, entry, firstNames);
  yield* chunks.append(encodeHeader(clamp(describeEntry(path, entry, firstName))));
  if (firstName === undefined && isRegular(entry.stat)) yield* content(path, entry, chunks);
}

/** What makes an entry no younger than `latest`. */
function clampTo(latest: Date | undefined): (entry: LayerEntry) => LayerEntry {
  if (latest === undefined) return (entry) => entry;
  const ms = latest.getTime();
  if (Number.isNaN(ms)) throw new TypeError("clampMtime is not a valid date");
  const sec = Math.floor(ms / 1000);
  const mtime: Timespec = { sec, nsec: (ms - sec * 1000) * 1_000_000 };
  const isLater = (time: Timespec) =>
    time.sec > mtime.sec || (time.sec === mtime.sec && time.nsec > mtime.nsec);
  return (entry) => (isLater(entry.mtime) ? { ...entry, mtime } : entry);
}

/** The first name in the archive of a file with several, or undefined if it is this one. */
function otherName(path: Buffer, { stat }: OpenedEntry, firstNames: Map<string, Buffer>): Buffer | undefined {
  if (stat.nlink < 2 || isDirectory(stat)) return undefined;
  const key = inodeKey(stat);
  const first = firstNames.get(key);
  if (first === undefined) firstNames.set(key, path);
  return first;
}

function* content(path: Buffer, { fd, stat }: OpenedEntry, chunks: Chunks): Generator<Buffer> {
  for (let left = stat.size; left > 0; ) {
    const space = chunks.space;
    const count = readSync(fd, space, 0, Math.min(space.length, left), null);
    if (count === 0) throw changedWhileRead(path);
    left -= count;
    yield* chunks.filled(count);
  }
  const { ino, size, mtime } = fstatx(fd);
  const isSame = ino === stat.ino && size === stat.size;
  if (!isSame || mtime.sec !== stat.mtime.sec || mtime.nsec !== stat.mtime.nsec) throw changedWhileRead(path);
  yield* chunks.append(Buffer.alloc(paddingAfter(stat.size)));
}
