import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MadeBytes } from "../../dataset/made-bytes.ts";
import { planTree } from "../../dataset/tree-plan.ts";
import type { TrialContext } from "../../workload.ts";
import { commitTree, numberIn, openRoot, unlessAborted } from "../snapshots.ts";

/** The chain's last snapshot. */
export const topName = "top";
export const largeFile = "large";
const bytesAFile = 4096;

/** A small file, in a directory that other layers have files in, too. */
export interface SmallFile {
  readonly path: string;
  readonly bytes: number;
}

/** The small files of the whole chain; the first one is of the lowest layer. */
export function smallFiles(context: TrialContext): SmallFile[] {
  const files = numberIn(context, "files");
  const spec = { shape: "small", files, bytes: files * bytesAFile, compressible: true } as const;
  return planTree(spec, context.seed).filter((entry) => entry.kind === "file");
}

/** Each layer gets its part of the small files, and the last one the large one as well. */
export async function makeChain(context: TrialContext): Promise<void> {
  const { seed } = context;
  const depth = numberIn(context, "depth");
  const largeBytes = numberIn(context, "largeBytes");
  const files = smallFiles(context);
  const content = new MadeBytes(seed, false, largeBytes);
  const write = (path: string, bytes: number) => {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(path, "wx");
    for (const piece of content.take(bytes)) writeFileSync(file, piece);
    closeSync(file);
  };
  await using driver = await openRoot(context);
  let below: string | undefined;
  for (let layer = 0; layer < depth; layer++) {
    await unlessAborted(context);
    const name = layer === depth - 1 ? topName : `layer-${layer}`;
    await commitTree(driver, name, below, (path) => {
      for (let index = layer; index < files.length; index += depth) {
        const file = files[index];
        if (file !== undefined) write(join(path, file.path), file.bytes);
      }
      // A driver that copies would otherwise copy it into each.
      if (name === topName) write(join(path, largeFile), largeBytes);
    });
    below = name;
  }
}
