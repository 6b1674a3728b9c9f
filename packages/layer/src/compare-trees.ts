import { type CallOptions, toStrataError } from "@strata/core";
import { type Stat, statx } from "@strata/linux";
import { ContentComparer, type EntryField, openedDifferences, statDifferences } from "./compare-entries.ts";
import {
  childPath,
  fileType,
  inodeKey,
  isDirectory,
  isRegular,
  pairNames,
  quoted,
  sortedNames,
} from "./diff/entries.ts";
import { OpenedEntry } from "./diff/opened-entry.ts";
import { readError } from "./diff/read-error.ts";
import { flatten, Inner, type Steps } from "./diff/steps.ts";
import { streamInTurns } from "./diff/stream-in-turns.ts";

/** One difference between two trees. */
export interface TreeDifference {
  /** Relative to the roots, without a leading slash; empty for the roots themselves. */
  readonly path: Buffer;
  /** In words, the first tree's value before the second's: `mode 0644, 0755`. */
  readonly what: string;
}

export interface CompareTreesOptions extends CallOptions {
  /**
   * What is not to be compared: fields, and extended attributes by name or, with `*` at the end, by its beginning
   * (`user.*`). For trees from tools that lose these. @defaultValue nothing
   */
  readonly ignore?: readonly (EntryField | `${string}.${string}`)[];
}

/**
 * Compare two trees entry by entry: type, mode, uid, gid, size, mtime in ns, content, link target, device number,
 * every extended attribute as it is on disk, and which names are hardlinks of one file. Of a name that is in one tree
 * only, or of another type in each, nothing further is reported.
 *
 * Cost: reads both trees whole.
 * @throws StrataError `Busy`, if a path disappears while it is compared
 */
export async function* compareTrees(
  a: string,
  b: string,
  options: CompareTreesOptions = {},
): AsyncGenerator<TreeDifference> {
  try {
    yield* streamInTurns(new TreeComparison(options).whole(a, b), options);
  } catch (error) {
    throw toStrataError(error, `compare ${a} with ${b}`);
  }
}

const root = Buffer.alloc(0);

/** Differences as they are found, and nothing after each piece of work without one. */
type Found = TreeDifference | undefined;

class TreeComparison {
  readonly #contents = new ContentComparer();
  readonly #ignored: (field: string) => boolean;
  readonly #linksA = new HardlinkGroups();
  readonly #linksB = new HardlinkGroups();

  constructor({ ignore = [] }: CompareTreesOptions) {
    const exact = new Set<string>(ignore);
    const prefixes = ignore.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
    this.#ignored = (field) => exact.has(field) || prefixes.some((prefix) => field.startsWith(prefix));
  }

  *whole(pathA: string, pathB: string): Generator<Found, void> {
    using a = OpenedEntry.openRoot(pathA, "raw");
    using b = OpenedEntry.openRoot(pathB, "raw");
    yield* this.#report(root, statDifferences(a.stat, b.stat));
    yield* flatten(this.#opened(root, a, b));
    if (!this.#ignored("hardlinks")) yield* compareGroups(this.#linksA, this.#linksB);
  }

  *#directory(parent: Buffer, a: OpenedEntry, b: OpenedEntry): Steps<Found> {
    for (const { name, inA, inB } of pairNames(sortedNames(a.fd), sortedNames(b.fd))) {
      yield;
      const path = childPath(parent, name);
      if (!inA || !inB) {
        yield { path, what: `only in the ${inA ? "first" : "second"} tree` };
        continue;
      }
      try {
        yield* this.#entry(path, name, a, b);
      } catch (error) {
        throw readError(error, path);
      }
    }
  }

  *#entry(path: Buffer, name: Buffer, a: OpenedEntry, b: OpenedEntry): Steps<Found> {
    const [statA, statB] = [statx(a.fd, name), statx(b.fd, name)];
    yield* this.#report(path, statDifferences(statA, statB));
    if (fileType(statA) !== fileType(statB)) return;
    this.#linksA.add(path, statA);
    this.#linksB.add(path, statB);
    using entryA = OpenedEntry.open(a.fd, name, statA, "raw");
    using entryB = OpenedEntry.open(b.fd, name, statB, "raw");
    yield* this.#opened(path, entryA, entryB);
  }

  *#opened(path: Buffer, a: OpenedEntry, b: OpenedEntry): Steps<Found> {
    yield* this.#report(path, openedDifferences(a, b));
    if (isDirectory(a.stat)) yield new Inner(this.#directory(path, a, b));
    else if (isRegular(a.stat) && a.stat.size === b.stat.size && !this.#ignored("content")) {
      const offset = yield* this.#contents.firstDifference(a.fd, b.fd, a.stat.size);
      if (offset !== undefined) yield { path, what: `content, from byte ${offset}` };
    }
  }

  *#report(path: Buffer, differences: Iterable<{ field: string; what: string }>): Generator<TreeDifference> {
    for (const { field, what } of differences) if (!this.#ignored(field)) yield { path, what };
  }
}

/** Which of a tree's names are one file. */
class HardlinkGroups {
  readonly #paths = new Map<string, Buffer[]>();

  add(path: Buffer, stat: Stat): void {
    if (stat.nlink < 2 || isDirectory(stat)) return;
    const key = inodeKey(stat);
    const group = this.#paths.get(key);
    if (group === undefined) this.#paths.set(key, [path]);
    else group.push(path);
  }

  /** For each name (`latin1`) that has others beside it in the tree, all of them, in words. */
  describe(): ReadonlyMap<string, string> {
    const groups = [...this.#paths.values()].filter((group) => group.length > 1);
    return new Map(
      groups.flatMap((group) => {
        const all = group.map(quoted).join(" = ");
        return group.map((path) => [path.toString("latin1"), all] as const);
      }),
    );
  }
}

function* compareGroups(a: HardlinkGroups, b: HardlinkGroups): Generator<TreeDifference> {
  const [groupsA, groupsB] = [a.describe(), b.describe()];
  for (const path of new Set([...groupsA.keys(), ...groupsB.keys()])) {
    const [groupA = "none", groupB = "none"] = [groupsA.get(path), groupsB.get(path)];
    if (groupA !== groupB) {
      yield { path: Buffer.from(path, "latin1"), what: `hardlinks ${groupA}, ${groupB}` };
    }
  }
}
