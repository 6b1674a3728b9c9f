import type { LayerLayout } from "@strata/core";
import { statxOrUndefined } from "@strata/linux";
import { ContentComparer, openedDifferences, statDifferences } from "../compare-entries.ts";
import { isOpaque, type LowerEntry, LowerView } from "../lower-view.ts";
import { ChangeNode } from "./change-tree.ts";
import { inodeKey, isDirectory, isRegular, isStorable, pairNames, sortedNames } from "./entries.ts";
import { HardlinkGroups } from "./hardlinks.ts";
import { OpenedEntry } from "./opened-entry.ts";
import type { Pace } from "./pace.ts";
import { readError } from "./read-error.ts";
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
 * @returns the root
 */
export async function findChanges(layout: LayerLayout, pace: Pace): Promise<ChangeNode> {
  const touched =
    layout.format === "plain" && layout.touched ? await readTouched(layout.touched()) : undefined;
  using fresh = OpenedEntry.openRoot(layout.dir, layout.format);
  const walk = new ChangeWalk(layout, pace);
  const root = await walk.run(fresh, touched);
  // Other names of a file that changed may be anywhere, touched or not.
  if (touched !== undefined && walk.links.incomplete)
    return await new ChangeWalk(layout, pace).run(fresh, undefined);
  return root;
}

class ChangeWalk {
  readonly links = new HardlinkGroups();
  readonly #layout: LayerLayout;
  readonly #pace: Pace;
  readonly #contents: ContentComparer;

  constructor(layout: LayerLayout, pace: Pace) {
    this.#layout = layout;
    this.#pace = pace;
    this.#contents = new ContentComparer(pace);
  }

  async run(fresh: OpenedEntry, touched: Touched | undefined): Promise<ChangeNode> {
    const root = new ChangeNode(Buffer.alloc(0));
    const [nearest] = lowersOf(this.#layout);
    using lower = LowerView.open(lowersOf(this.#layout), this.#layout.format);
    if (nearest === undefined) {
      root.markChanged("added");
    } else {
      using before = OpenedEntry.openRoot(nearest, this.#layout.format);
      if (differ(statDifferences(before.stat, fresh.stat)) || differ(openedDifferences(before, fresh))) {
        root.markChanged("modified");
      }
    }
    await this.#directory(root, fresh, lower, touched);
    this.links.mark();
    return root;
  }

  async #directory(
    node: ChangeNode,
    fresh: OpenedEntry,
    lower: LowerView | undefined,
    touched: Touched | undefined,
  ): Promise<void> {
    for (const name of this.#candidates(node, fresh, lower, touched)) {
      await this.#pace.rest();
      const child = new ChangeNode(name, node);
      try {
        if (await this.#entry(child, fresh, lower, touched)) node.children.push(child);
      } catch (error) {
        throw readError(error, child.path());
      }
    }
  }

  /** The names of a directory that may have changed, sorted. */
  *#candidates(
    node: ChangeNode,
    fresh: OpenedEntry,
    lower: LowerView | undefined,
    touched: Touched | undefined,
  ): Generator<Buffer> {
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
  async #entry(
    node: ChangeNode,
    directory: OpenedEntry,
    lower: LowerView | undefined,
    touched: Touched | undefined,
  ): Promise<boolean> {
    const { name } = node;
    const before = storable(lower?.lookup(name));
    const stat = statxOrUndefined(directory.fd, name);
    if (stat === undefined || !isStorable(stat)) {
      if (before !== undefined) node.markChanged("deleted");
      return before !== undefined;
    }
    if (before === undefined) node.markChanged("added");
    else if (!(await this.#isSame(before, { dirfd: directory.fd, name, stat }))) node.markChanged("modified");
    if (!isDirectory(stat)) return this.links.add(node, stat, before?.stat) || node.changed;
    using entry = OpenedEntry.open(directory.fd, name, stat, this.#layout.format);
    using below = before === undefined ? undefined : lower?.openDirectory(name);
    await this.#directory(node, entry, below, touched?.get(name.toString("latin1")));
    return node.changed || node.children.length > 0;
  }

  async #isSame(before: LowerEntry, fresh: LowerEntry): Promise<boolean> {
    if (inodeKey(before.stat) === inodeKey(fresh.stat)) return true;
    if (differ(statDifferences(before.stat, fresh.stat))) return false;
    using a = OpenedEntry.open(before.dirfd, before.name, before.stat, this.#layout.format);
    using b = OpenedEntry.open(fresh.dirfd, fresh.name, fresh.stat, this.#layout.format);
    if (differ(openedDifferences(a, b))) return false;
    if (!isRegular(fresh.stat)) return true;
    return (await this.#contents.firstDifference(a.fd, b.fd, fresh.stat.size)) === undefined;
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
