import { existsSync } from "node:fs";
import type { ActiveSnapshot, CallOptions, CommittedSnapshot } from "@strata/core";
import { compareTrees } from "@strata/layer";
import { AT_FDCWD, S_IFCHR, S_IFMT, statx } from "@strata/linux";

/** How many differences of one layer are named; the others are counted. */
const named = 5;

/**
 * What is wrong with the files of a layer, in words; undefined, if nothing is.
 * @param fresh - the same layer, just unpacked
 */
export async function layerDifferences(
  committed: CommittedSnapshot,
  fresh: ActiveSnapshot,
  options: CallOptions,
): Promise<string | undefined> {
  const first: string[] = [];
  let count = 0;
  const trees = [committed.layout().dir, fresh.layout().dir] as const;
  if (!existsSync(trees[0])) return "its files are gone";
  for await (const { path, what } of compareTrees(...trees, options)) {
    if (what.startsWith("mtime ") && isWhiteout(trees[0], path)) continue;
    count += 1;
    if (count <= named) first.push(`/${path.toString()}: ${what}`);
  }
  if (count === 0) return undefined;
  const more = count > named ? `; and ${count - named} more` : "";
  return `its files are not those of its blob (what is there, what must be): ${first.join("; ")}${more}`;
}

/** The mark of a deleted name, as overlayfs has it: a device without a meaning, nor has its time one. */
function isWhiteout(tree: string, path: Buffer): boolean {
  const { mode, rdev } = statx(AT_FDCWD, Buffer.concat([Buffer.from(`${tree}/`), path]));
  return (mode & S_IFMT) === S_IFCHR && rdev.major === 0 && rdev.minor === 0;
}
