import { appendFileSync, closeSync, openSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Trial, TrialContext } from "../../workload.ts";
import { numbered } from "../numbered.ts";
import { commitTree, numberIn, openRoot, unlessAborted } from "../snapshots.ts";
import { MadeFile } from "./made-file.ts";
import { MountedSnapshots, parentName } from "./mounted-snapshots.ts";

/** One for each operation, so that each finds one that was not written to yet. */
const files = ["first", "append", "overwrite", "truncate"] as const;
const byte = Buffer.from("x");

/** The layer below: a file of the same size for each way to write to it. */
export async function makeFiles(context: TrialContext): Promise<void> {
  const { seed } = context;
  const content = new MadeFile(numberIn(context, "fileBytes"), seed);
  await using driver = await openRoot(context);
  await commitTree(driver, parentName, undefined, async (path) => {
    for (const name of files) {
      await unlessAborted(context);
      content.write(join(path, name));
    }
  });
}

export async function openFirstWrites(context: TrialContext): Promise<Trial> {
  const { iterations, seed } = context;
  const size = numberIn(context, "fileBytes");
  const content = new MadeFile(size, seed + 1);
  const snapshots = await MountedSnapshots.open(context);
  const open = new Set<number>();
  const fileOf = (number: number, name: (typeof files)[number]) => join(snapshots.path(number), name);
  return {
    operations: [
      snapshots.prepare,
      numbered(iterations, {
        name: "first byte",
        countsWrites: true,
        run: (number) => {
          const file = openSync(fileOf(number, "first"), "r+");
          open.add(file);
          writeSync(file, byte, 0, 1, 0);
        },
        after: () => {
          for (const file of open) closeSync(file);
          open.clear();
        },
      }),
      numbered(iterations, {
        name: "append",
        countsWrites: true,
        run: (number) => appendFileSync(fileOf(number, "append"), byte),
      }),
      numbered(iterations, {
        name: "overwrite",
        work: { bytes: size },
        countsWrites: true,
        run: (number) => content.write(fileOf(number, "overwrite")),
      }),
      numbered(iterations, {
        name: "truncate",
        countsWrites: true,
        run: (number) => truncateSync(fileOf(number, "truncate"), Math.floor(size / 2)),
      }),
      snapshots.discard,
    ],
    [Symbol.asyncDispose]: () => snapshots[Symbol.asyncDispose](),
  };
}
