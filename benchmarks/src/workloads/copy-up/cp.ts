import { rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../peers/command.ts";
import type { Trial, TrialContext } from "../../workload.ts";
import { numbered } from "../numbered.ts";
import { numberIn } from "../snapshots.ts";
import { MadeFile } from "./made-file.ts";

const source = "source";

export function makeFileForCp(context: TrialContext): void {
  new MadeFile(numberIn(context, "fileBytes"), context.seed).write(join(context.directory, source));
}

/** What it takes to copy the file, as overlayfs does at the first write: a yardstick, beside that. */
export function copyFileByCp(context: TrialContext): Trial {
  const { directory, iterations, signal } = context;
  const target = (number: number) => join(directory, `target-${number}`);
  const operation = numbered(iterations, {
    name: "first byte",
    countsWrites: true,
    // Not earlier: a file that is gone before it was written to disk was never written.
    before: (number) => rmSync(target(number), { force: true }),
    run: (number) => run("cp", ["--reflink=never", join(directory, source), target(number)], { signal }),
  });
  return { operations: [operation], [Symbol.asyncDispose]: async () => {} };
}
