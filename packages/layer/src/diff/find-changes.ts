import { type CallOptions, inTurns, type LayerLayout } from "@strata/core";
import { statxOrUndefined } from "@strata/linux";
import { ContentComparer, openedDifferences, statDifferences } from "../compare-entries.ts";
import { isOpaque, type LowerEntry, LowerView } from "../lower-view.ts";
import { ChangeNode } from "./change-tree.ts";
import { inodeKey, isDirectory, isRegular, isStorable, pairNames, sortedNames } from "./entries.ts";
import { HardlinkGroups } from "./hardlinks.ts";
import { OpenedEntry } from "./opened-entry.ts";
import { readError } from "./read-error.ts";
import { flatten, Inner, type Steps } from "./steps.ts";
import { readTouched, type Touched } from "./touched.ts";

/**
 * Find all that changed in a layer.
 *
 * Both layouts are one walk. Overlay: the layer's directory says what may have changed, and what was there before is
 * looked up in the lower ones. Plain is the case in which every directory is opaque (what it does not list is deleted)
 * and the base is the only lower directory.
 *
 * Cost: for overlay, that of the change, where a file that was copied up but has not changed is read twice; for plain,
 * one walk of both trees that reads both, or less if the driver tells what was touched. In memory, a node for each
 * change.
 *
 * @returns the root
 */
export async function findChanges(layout: LayerLayout, options: CallOptions): Promise<ChangeNode> {
  const touched =
    layout.format === "plain" && layout.touched ? await readTouched(layout.touched()) : undefined;
  return inTurns(find(layout, touched), options);
}

function* find(layout: LayerLayout, touched: Touched | undefined): Generator<void, ChangeNode> {
  const walk = new ChangeWalk(layout);
  yield* walk.run(touched);
  // Other names of a file that changed may be anywhere, touched or not.
  if (touched === undefined || !walk.links.incomplete) return walk.root;
  const whole = new ChangeWalk(layout);
  yield* whole.run(undefined);
  return whole.root;
}

class ChangeWalk {
  readonly root = new ChangeNode(Buffer.alloc(0));
  readonly links = new HardlinkGroups();
  readonly #layout: LayerLayout;
  readonly #contents = new ContentComparer();

  constructor(layout: LayerLayout) {
    this.#layout = layout;
  }

  *run(touched: Touched | undefined): Generator<void> {
    const { dir, format } = this.#layout;
    const lowers = lowersOf(this.#layout);
    using fresh = OpenedEntry.openRoot(dir, format);
    using lower = LowerView.open(lowers, format);
    if (lowers[0] === undefined) {
      this.root.markChanged("added");
    } else {
      using before = OpenedEntry.openRoot(lowers[0], format);
      if (differ(statDifferences(before.stat, fresh.stat)) || differ(openedDifferences(before, fresh))) {
        this.root.markChanged("modified");
      }
    }
    yield* flatten(this.#directory(this.root, fresh, lower, touched));
    this.links.mark();
  }

  *#directory(
    node: ChangeNode,
    fresh: OpenedEntry,
    lower: LowerView | undefined,
    touched: Touched | undefined,
  ): Steps<void> {
    for (const name of this.#candidates(node, fresh, lower, touched)) {
      yield;
      const child = new ChangeNode(name, node);
      try {
        if (yield* this.#entry(child, fresh, lower, touched)) node.children.push(child);
      } catch (error) {
        throw readError(error, child.path());
      }
    }
  }

  /** The names of a directory that may have changed, sorted bytewise. */
  *#candidates(
    node: ChangeNode,
    fresh: OpenedEntry,
    lower: LowerView | undefined,
    touched: Touched | undefined,
  ): Generator<Buffer> {
    // Which names there are changed nowhere but in what is named; the root has no name, and always is listed.
    if (lower !== undefined && touched?.named === false && node.parent !== undefined) {
      for (const name of [...touched.keys()].sort()) yield Buffer.from(name, "latin1");
      return;
    }
    const listed = sortedNames(fresh.fd);
    if (lower === undefined || !this.#isComplete(node, fresh)) {
      yield* listed;
      return;
    }
    for (const { name, inA, inB } of pairNames(listed, lower.names())) {
      if (!inA || !inB || touched === undefined || touched.has(name.toString("latin1"))) yield name;
    }
  }

  /** Whether what the directory does not list is deleted. */
  #isComplete(node: ChangeNode, fresh: OpenedEntry): boolean {
    if (this.#layout.format === "plain") return true;
    // The kernel merges roots without looking for an opaque mark on them.
    return node.parent !== undefined && isOpaque(fresh.fd);
  }

  /** @returns whether the node is of any use */
  *#entry(
    node: ChangeNode,
    directory: OpenedEntry,
    lower: LowerView | undefined,
    touched: Touched | undefined,
  ): Generator<void | Inner<void>, boolean> {
    const { name } = node;
    const stat = statxOrUndefined(directory.fd, name);
    const before = storable(lower?.lookup(name));
    if (stat === undefined || !isStorable(stat)) {
      if (before !== undefined) node.markChanged("deleted");
      return before !== undefined;
    }
    // What something else is mounted over cannot be seen; it was not changed through this tree either.
    if (stat.mountRoot) return false;
    if (before === undefined) {
      node.markChanged("added");
    } else if (!(yield* this.#isSame(before, { dirfd: directory.fd, name, stat }))) {
      node.markChanged("modified");
    }
    if (!isDirectory(stat)) return this.links.add(node, stat, before?.stat) || node.changed;
    using entry = OpenedEntry.open(directory.fd, name, stat, this.#layout.format);
    using below = before === undefined ? undefined : lower?.openDirectory(name);
    yield new Inner(this.#directory(node, entry, below, touched?.get(name.toString("latin1"))));
    return node.changed || node.children.length > 0;
  }

  *#isSame(before: LowerEntry, fresh: LowerEntry): Generator<void, boolean> {
    if (inodeKey(before.stat) === inodeKey(fresh.stat)) return true;
    if (differ(statDifferences(before.stat, fresh.stat))) return false;
    using a = OpenedEntry.open(before.dirfd, before.name, before.stat, this.#layout.format);
    using b = OpenedEntry.open(fresh.dirfd, fresh.name, fresh.stat, this.#layout.format);
    if (differ(openedDifferences(a, b))) return false;
    if (!isRegular(fresh.stat)) return true;
    return (yield* this.#contents.firstDifference(a.fd, b.fd, fresh.stat.size)) === undefined;
  }
}

function differ(differences: Iterable<unknown>): boolean {
  for (const _ of differences) return true;
  return false;
}

function storable(entry: LowerEntry | undefined): LowerEntry | undefined {
  return entry !== undefined && isStorable(entry.stat) ? entry : undefined;
}

function lowersOf(layout: LayerLayout): readonly string[] {
  if (layout.format === "overlay") return layout.lowers;
  return layout.base === undefined ? [] : [layout.base];
}
