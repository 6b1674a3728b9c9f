import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeTree } from "../../dataset/tree.ts";
import type { TrialContext } from "../../workload.ts";
import { commitTree, numberIn, openRoot, unlessAborted } from "../snapshots.ts";

/** The snapshot that all others of a case are made from. */
export const parentName = "parent";

/** What is so, unless the case varies it. */
export const usual = { depth: 1, snapshots: 10, parentFiles: 10, writtenFiles: 1 } as const;

/** A file's size in the trees here: it is calls that are measured, not bytes. */
export const fileBytes = 1024;

/** Make what a case needs: the chain below the parent, the parent, and as many others as the store is to hold. */
export async function makeStore(context: TrialContext): Promise<void> {
  const depth = numberIn(context, "depth", usual.depth);
  const snapshots = numberIn(context, "snapshots", usual.snapshots);
  await using driver = await openRoot(context);

  const nameAt = (level: number) => (level === depth ? parentName : `level-${level}`);
  for (let level = 1; level <= depth; level++) {
    await unlessAborted(context);
    const below = level === 1 ? undefined : nameAt(level - 1);
    await commitTree(driver, nameAt(level), below, async (path) => {
      if (level === 1) await writeParent(context, path);
      else writeFileSync(join(path, "level"), `${level}\n`);
    });
  }
  for (let made = depth; made < snapshots; made++) {
    await unlessAborted(context);
    const active = await driver.prepare(`other-${made}-active`, parentName);
    await active.commit(`other-${made}`);
  }
}

/** Fill a directory with what lies at the bottom of the chain: the files of the parent. */
export async function writeParent(context: TrialContext, directory: string): Promise<void> {
  const files = numberIn(context, "parentFiles", usual.parentFiles);
  const spec = { shape: "small", files, bytes: files * fileBytes, compressible: true } as const;
  await writeTree(directory, spec, context.seed);
}
