import { chmodSync, cpSync, lchownSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoCode } from "@strata/core";
import { writeTree } from "../../dataset/tree.ts";
import type { Trial, TrialContext } from "../../workload.ts";
import { numbered } from "../numbered.ts";
import { commitTree, numberIn, openRoot, unlessAborted } from "../snapshots.ts";
import { MountedSnapshots, parentName } from "./mounted-snapshots.ts";

/** One for each operation, so that each finds one that was not changed yet. */
const trees = ["chmod", "chown", "rename"] as const;
const bytesAFile = 4096;
const otherMode = 0o700;
/** An ordinary user can only give his files to himself, which is a change to overlayfs all the same. */
const otherOwner = process.geteuid?.() === 0 ? 1000 : (process.geteuid?.() ?? 0);
const otherGroup = process.geteuid?.() === 0 ? 1000 : (process.getegid?.() ?? 0);

export async function makeTrees(context: TrialContext): Promise<void> {
  const { seed } = context;
  const files = numberIn(context, "files");
  const spec = { shape: "small", files, bytes: files * bytesAFile, compressible: true } as const;
  await using driver = await openRoot(context);
  await commitTree(driver, parentName, undefined, async (path) => {
    for (const name of trees) {
      await unlessAborted(context);
      await writeTree(join(path, name), spec, seed);
    }
  });
}

export async function openTreeChanges(context: TrialContext): Promise<Trial> {
  const { iterations } = context;
  const work = { files: numberIn(context, "files") };
  const snapshots = await MountedSnapshots.open(context);
  const treeOf = (number: number, name: (typeof trees)[number]) => join(snapshots.path(number), name);
  return {
    operations: [
      snapshots.prepare,
      numbered(iterations, {
        name: "chmod tree",
        work,
        countsWrites: true,
        run: (number) => chmodTree(treeOf(number, "chmod")),
      }),
      numbered(iterations, {
        name: "chown tree",
        work,
        countsWrites: true,
        run: (number) => chownTree(treeOf(number, "chown")),
      }),
      numbered(iterations, {
        name: "rename directory",
        work,
        countsWrites: true,
        run: (number) => move(treeOf(number, "rename"), join(snapshots.path(number), "renamed")),
      }),
      snapshots.discard,
    ],
    [Symbol.asyncDispose]: () => snapshots[Symbol.asyncDispose](),
  };
}

/** As `chmod -R`. */
function chmodTree(tree: string): void {
  chmodSync(tree, otherMode);
  for (const entry of readdirSync(tree, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) chmodSync(join(entry.parentPath, entry.name), otherMode);
  }
}

/** As `chown -R`. */
function chownTree(tree: string): void {
  lchownSync(tree, otherOwner, otherGroup);
  for (const entry of readdirSync(tree, { withFileTypes: true, recursive: true })) {
    lchownSync(join(entry.parentPath, entry.name), otherOwner, otherGroup);
  }
}

/** As `mv`: overlayfs without redirects does not rename a directory of a lower layer. */
function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoCode(error) !== "EXDEV") throw error;
    cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    rmSync(from, { recursive: true });
  }
}
