import type { Stat } from "@strata/linux";
import type { ChangeNode } from "./change-tree.ts";
import { inodeKey } from "./entries.ts";

interface Group {
  /** All names of the file that were visited, in the order of the walk. */
  readonly nodes: ChangeNode[];
  /** How many names the file has, be it outside the tree. */
  readonly links: number;
  /** The files that its unchanged names were names of before. */
  readonly before: Set<string>;
}

/**
 * Files with several names, and what a change of one name means for the others: a tar can link to a name in the same
 * tar only, so if one name of a file is in a diff, all must be.
 */
export class HardlinkGroups {
  readonly #groups = new Map<string, Group>();

  /**
   * Take note of a name of the file `stat`, which was a name of the file `before`.
   * @returns whether the file has other names
   */
  add(node: ChangeNode, stat: Stat, before: Stat | undefined): boolean {
    if (stat.nlink < 2) return false;
    const key = inodeKey(stat);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { nodes: [], links: stat.nlink, before: new Set() };
      this.#groups.set(key, group);
    }
    group.nodes.push(node);
    if (before !== undefined && !node.changed) group.before.add(inodeKey(before));
    return true;
  }

  /** Whether a file that is to be in the diff has names that were not visited. */
  get incomplete(): boolean {
    return [...this.#groups.values()].some((group) => isChanged(group) && group.nodes.length < group.links);
  }

  /** Mark the names that are to be in the diff because of others. Call it after the walk. */
  mark(): void {
    for (const group of this.#groups.values()) {
      if (!isChanged(group)) continue;
      const joined = group.before.size > 1;
      for (const node of group.nodes) {
        if (node.changed) continue;
        if (joined) node.markChanged("modified");
        else node.markLinked();
      }
    }
  }
}

/** Whether a name of it changed, or two files became one. That one file became two is not a change. */
function isChanged({ nodes, before }: Group): boolean {
  return before.size > 1 || nodes.some((node) => node.changed);
}
