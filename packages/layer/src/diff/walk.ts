import { type LayerLayout, StrataError } from "@strata/core";
import { statxOrUndefined } from "@strata/linux";
import type { ChangeNode } from "./change-tree.ts";
import { childPath, isDirectory, isStorable, quoted, sortedNames } from "./entries.ts";
import { OpenedEntry } from "./opened-entry.ts";
import { changedWhileRead, readError } from "./read-error.ts";
import { flatten, Inner, type Steps } from "./steps.ts";

/** One thing that the archive of a layer has to say, in the archive's order. */
export type Visit =
  | { readonly kind: "whiteout"; readonly path: Buffer }
  /** The entry is open until the next visit; a directory, until all in it was visited. */
  | { readonly kind: "entry"; readonly path: Buffer; readonly entry: OpenedEntry };

/** What a whiteout's name begins with, before the name that it deletes. @see OCI image-spec, layer.md */
export const whiteoutPrefix = ".wh.";

/**
 * Visit what `changes` says of the tree at `layout.dir`, or without it the whole tree: a directory before what is in
 * it, and in it the whiteouts first, sorted bytewise. Directories on which something else is mounted are not entered.
 */
export function* walk(layout: LayerLayout, changes: ChangeNode | undefined): Generator<Visit, void> {
  using root = OpenedEntry.openRoot(layout.dir, layout.format);
  const path = Buffer.alloc(0);
  if (changes?.kind !== "same") yield { kind: "entry", path, entry: root };
  yield* flatten(visitDirectory(layout, root, path, changes));
}

function* visitDirectory(
  layout: LayerLayout,
  directory: OpenedEntry,
  directoryPath: Buffer,
  changes: ChangeNode | undefined,
): Steps<Visit> {
  for (const child of listChildren(directory, changes)) {
    const path = childPath(directoryPath, child.name);
    refuseWhiteoutName(child.name, path);
    if (child.changes?.kind === "deleted") {
      yield { kind: "whiteout", path };
      continue;
    }
    using entry = open(layout, directory, child, path);
    if (entry === undefined) continue;
    yield { kind: "entry", path, entry };
    if (isDirectory(entry.stat) && !entry.stat.mountRoot)
      yield new Inner(visitDirectory(layout, entry, path, child.changes));
  }
}

interface Child {
  readonly name: Buffer;
  /** Undefined where everything is visited. */
  readonly changes: ChangeNode | undefined;
}

function listChildren(directory: OpenedEntry, changes: ChangeNode | undefined): Child[] {
  if (changes === undefined) {
    return sortedNames(directory.fd).map((name) => ({ name, changes: undefined }));
  }
  const nodes = changes.children.filter((node) => node.kind !== "same");
  const deleted = nodes.filter((node) => node.kind === "deleted");
  const there = nodes.filter((node) => node.kind !== "deleted");
  return [...deleted, ...there].map((node) => ({ name: node.name, changes: node }));
}

/** Undefined if it is nothing that a layer can hold. */
function open(
  layout: LayerLayout,
  directory: OpenedEntry,
  child: Child,
  path: Buffer,
): OpenedEntry | undefined {
  try {
    const stat = statxOrUndefined(directory.fd, child.name);
    if (stat !== undefined && isStorable(stat)) {
      return OpenedEntry.open(directory.fd, child.name, stat, layout.format);
    }
  } catch (error) {
    throw readError(error, path);
  }
  if (child.changes === undefined) return undefined;
  throw changedWhileRead(path);
}

/** A file with the name of a whiteout would delete another, wherever the layer is applied. */
function refuseWhiteoutName(name: Buffer, path: Buffer): void {
  if (!name.subarray(0, whiteoutPrefix.length).equals(Buffer.from(whiteoutPrefix))) return;
  throw new StrataError(
    "Unsupported",
    `${quoted(path)} cannot be stored in a layer, where names that begin with ${whiteoutPrefix} stand for deletions; ` +
      "rename or delete it",
  );
}
