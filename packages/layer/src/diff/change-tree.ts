import { childPath } from "./entries.ts";

/** What became of a name between two trees. */
export type ChangeKind = "added" | "modified" | "deleted";

/**
 * - a {@link ChangeKind}: the name itself changed.
 * - `parent`: a directory that is as it was, but something below it changed.
 * - `linked`: as it was, but to be stored again, since another name of the same file changed; or a directory that is
 *   as it was and holds such a name.
 * - `same`: as it was; nothing to say about it or what is below.
 */
export type NodeKind = ChangeKind | "parent" | "linked" | "same";

/** A name in the tree of all that changed. */
export class ChangeNode {
  readonly name: Buffer;
  readonly parent: ChangeNode | undefined;
  /** Sorted bytewise by name. */
  readonly children: ChangeNode[] = [];
  #kind: NodeKind = "same";

  /** Without a parent, a root. */
  constructor(name: Buffer, parent?: ChangeNode) {
    this.name = name;
    this.parent = parent;
  }

  get kind(): NodeKind {
    return this.#kind;
  }

  /** Relative to the root, whose own path is empty. */
  path(): Buffer {
    let path = this.name;
    for (let above = this.parent; above?.parent !== undefined; above = above.parent) {
      path = childPath(above.name, path);
    }
    return path;
  }

  /** What people are told of it, or undefined for nothing: the parent of a change counts as modified. */
  get change(): ChangeKind | undefined {
    if (this.#kind === "parent") return "modified";
    return this.#kind === "same" || this.#kind === "linked" ? undefined : this.#kind;
  }

  /** Whether the name itself changed. */
  get changed(): boolean {
    return this.change !== undefined && this.#kind !== "parent";
  }

  /** The name itself changed; so all directories above are parents of a change. */
  markChanged(kind: ChangeKind): void {
    this.#kind = kind;
    this.#markAbove("parent", (above) => above === "same" || above === "linked");
  }

  /** The name is the same, but is to be stored again. */
  markLinked(): void {
    this.#kind = "linked";
    this.#markAbove("linked", (above) => above === "same");
  }

  // The root is a parent of its direct children's changes only: a layer says nothing of the root for changes deeper
  // down, since every tree has one.
  #markAbove(kind: "parent" | "linked", applies: (above: NodeKind) => boolean): void {
    for (let node = this.parent; node !== undefined && applies(node.#kind); node = node.parent) {
      const isRoot = node.parent === undefined;
      if (isRoot && (kind === "linked" || node !== this.parent)) return;
      node.#kind = kind;
    }
  }
}
