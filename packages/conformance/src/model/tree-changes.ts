import type { ChangeKind } from "@strata/layer";
import { directoryOf, type FileNode, type Tree } from "./tree.ts";

/**
 * What `changes` must say of a tree against its parent's: worked out from the two trees alone, by the rules in its
 * documentation.
 */
export function treeChanges(tree: Tree, base: Tree | undefined): ReadonlyMap<string, ChangeKind> {
  if (base === undefined) return new Map(tree.paths().map((path) => [path, "added"]));
  const changes = new Map<string, ChangeKind>();
  for (const path of tree.paths()) {
    const before = base.find(path);
    if (before === undefined) changes.set(path, "added");
    else if (!isSame(before, tree.get(path))) changes.set(path, "modified");
  }
  for (const path of base.paths()) {
    // Below what is deleted, or is no directory any more, nothing is listed.
    if (!tree.has(path) && tree.find(directoryOf(path))?.type === "directory") changes.set(path, "deleted");
  }
  for (const path of joined(tree, base, changes)) changes.set(path, "modified");
  for (const path of [...changes.keys()]) markAbove(path, changes);
  return changes;
}

function isSame(a: FileNode, b: FileNode): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtime.sec === b.mtime.sec &&
    a.mtime.nsec === b.mtime.nsec &&
    a.data === b.data &&
    a.rdev.major === b.rdev.major &&
    a.rdev.minor === b.rdev.minor &&
    a.xattrs.size === b.xattrs.size &&
    [...a.xattrs].every(([name, value]) => b.xattrs.get(name) === value)
  );
}

/** Names that are otherwise as they were, but are one file now and were several. */
function joined(tree: Tree, base: Tree, changes: ReadonlyMap<string, ChangeKind>): string[] {
  const groups = new Map<number, string[]>();
  for (const [path, id] of tree.names) {
    if (changes.has(path) || tree.get(path).type === "directory") continue;
    groups.set(id, [...(groups.get(id) ?? []), path]);
  }
  return [...groups.values()]
    .filter((paths) => new Set(paths.map((path) => base.names.get(path))).size > 1)
    .flat();
}

/** A directory counts as modified when something below it changed; the root, when something directly in it did. */
function markAbove(path: string, changes: Map<string, ChangeKind>): void {
  if (path === "") return;
  for (let above = directoryOf(path); ; above = directoryOf(above)) {
    if (above === "" && directoryOf(path) !== "") return;
    if (!changes.has(above)) changes.set(above, "modified");
    if (above === "") return;
  }
}
