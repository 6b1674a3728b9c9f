import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeTree } from "../../dataset/tree.ts";
import { planTree, type TreeSpec } from "../../dataset/tree-plan.ts";
import type { TrialContext } from "../../workload.ts";
import { numberIn } from "../snapshots.ts";

const bytesAFile = 4096;
const added = Buffer.from("added\n");

/** The tree that is changed. */
export async function writeOriginal(context: TrialContext, directory: string): Promise<void> {
  await writeTree(directory, original(context), context.seed);
}

/** Change some files of the tree, evenly spread over it: write to one, remove the next, add one beside the one after. */
export function changeFiles(context: TrialContext, directory: string): void {
  const count = numberIn(context, "changes");
  // Not looked up in the tree: that would leave its mark on each directory's access time.
  const files = planTree(original(context), context.seed).filter(({ kind }) => kind === "file");
  const ways = [
    (path: string) => appendFileSync(path, added),
    (path: string) => rmSync(path),
    (path: string) => writeFileSync(`${path}.added`, added),
  ];
  for (let index = 0; index < count; index++) {
    const file = files[Math.floor((index * files.length) / count)];
    if (file !== undefined) ways[index % ways.length]?.(join(directory, file.path));
  }
}

function original(context: TrialContext): TreeSpec {
  const files = numberIn(context, "files");
  // Without hard links: to write to one name would change several.
  return { shape: "small", files, bytes: files * bytesAFile, compressible: true };
}
