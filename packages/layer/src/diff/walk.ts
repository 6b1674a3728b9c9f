import { type LayerLayout, StrataError } from "@strata/core";
import { statxOrUndefined } from "@strata/linux";
import type { ChangeNode } from "./change-tree.ts";
import { childPath, isDirectory, isStorable, quoted, sortedNames } from "./entries.ts";
import { OpenedEntry } from "./opened-entry.ts";
import { changedWhileRead, readError } from "./read-error.ts";

/** One thing that the archive of a layer has to say, in the archive's order. */
export type Visit =
  | { readonly kind: "whiteout"; readonly path: Buffer }
  /** The entry is open until the next visit; a directory, until all in it was visited. */
  | { readonly kind: "entry"; readonly path: Buffer; readonly entry: OpenedEntry };

/** What a whiteout's name begins with, before the name that it deletes. @see OCI image-spec, layer.md */
export const whiteoutPrefix = ".wh.";

/**
 * Visit what `changes` says of the tree at `layout.dir`, or without it the whole tree: a directory before what is in
 * it, and in it the whiteouts first, sorted bytewise.
 */
export function* walk(layout: LayerLayout, changes: ChangeNode | undefined): Generator<Visit> {
  // A stack of its own instead of recursion: with generators in generators, each step would cost the tree's depth.
  const stack: Directory[] = [];
  try {
    const root = new Directory(OpenedEntry.openRoot(layout.dir, layout.format), Buffer.alloc(0), changes);
    stack.push(root);
    if (changes?.kind !== "same") yield { kind: "entry", path: root.path, entry: root.entry };
    for (let directory = stack.at(-1); directory !== undefined; directory = stack.at(-1)) {
      const child = directory.next();
      if (child === undefined) {
        directory.entry[Symbol.dispose]();
        stack.pop();
        continue;
      }
      const path = childPath(directory.path, child.name);
      refuseWhiteoutName(child.name, path);
      if (child.node?.kind === "deleted") {
        yield { kind: "whiteout", path };
        continue;
      }
      const entry = open(layout, directory.entry, child, path);
      if (entry === undefined) continue;
      if (isDirectory(entry.stat)) {
        stack.push(new Directory(entry, path, child.node));
        yield { kind: "entry", path, entry };
      } else {
        using file = entry;
        yield { kind: "entry", path, entry: file };
      }
    }
  } finally {
    for (const { entry } of stack) entry[Symbol.dispose]();
  }
}

interface Child {
  readonly name: Buffer;
  /** Undefined where everything is visited. */
  readonly node: ChangeNode | undefined;
}

/** A directory that the walk is in. */
class Directory {
  readonly entry: OpenedEntry;
  readonly path: Buffer;
  readonly #node: ChangeNode | undefined;
  #children: Iterator<Child> | undefined;

  constructor(entry: OpenedEntry, path: Buffer, node: ChangeNode | undefined) {
    this.entry = entry;
    this.path = path;
    this.#node = node;
  }

  next(): Child | undefined {
    // Listed only now, so that whatever goes wrong does so when the walk has the directory to close.
    this.#children ??= this.#list().values();
    const next = this.#children.next();
    return next.done === true ? undefined : next.value;
  }

  #list(): Child[] {
    if (this.#node === undefined) {
      return sortedNames(this.entry.fd).map((name) => ({ name, node: undefined }));
    }
    const nodes = this.#node.children.filter((node) => node.kind !== "same");
    const deleted = nodes.filter((node) => node.kind === "deleted");
    const there = nodes.filter((node) => node.kind !== "deleted");
    return [...deleted, ...there].map((node) => ({ name: node.name, node }));
  }
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
  if (child.node === undefined) return undefined;
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
