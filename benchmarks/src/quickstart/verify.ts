import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { compareTrees } from "@strata/layer";
import type { Store } from "@strata/store";
import { type Amount, type EditPlan, expectedChanges } from "./edit-tree.ts";

/** The regular files of a tree. */
export async function measure(root: string): Promise<Amount> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  let bytes = 0;
  for (const { parentPath, name } of files) bytes += (await lstat(join(parentPath, name))).size;
  return { files: files.length, bytes };
}

/** Where the diff of a container departs from what was done to its tree; `files` is the changes it names. */
export async function checkDiff(
  store: Store,
  container: string,
  tree: string,
  plan: EditPlan,
): Promise<{ files: number; wrong: string[] }> {
  const shown = new Set<string>();
  for await (const { path, kind } of store.changes(container)) {
    const name = path.toString();
    // A directory is named because something in it changed.
    if (kind === "modified" && (await lstat(join(tree, name))).isDirectory()) continue;
    shown.add(`${kind} ${name}`);
  }
  const expected = new Set(expectedChanges(plan));
  const wrong = [
    ...[...expected].filter((line) => !shown.has(line)).map((line) => `not shown: ${line}`),
    ...[...shown].filter((line) => !expected.has(line)).map((line) => `not done: ${line}`),
  ];
  return { files: shown.size, wrong };
}

/** Where two trees differ, in words. */
export async function differences(a: string, b: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, what } of compareTrees(a, b)) found.push(`/${path.toString()}: ${what}`);
  return found;
}
