import { join } from "node:path";
import { run } from "../../peers/command.ts";
import type { Trial, TrialContext } from "../../workload.ts";
import { changeFiles, writeOriginal } from "./change-files.ts";

const original = "original";
const changed = "changed";

/** The same trees, as plain directories. */
export async function makeTrees(context: TrialContext): Promise<void> {
  const { directory, signal } = context;
  await writeOriginal(context, join(directory, original));
  await run("cp", ["-a", join(directory, original), join(directory, changed)], { signal });
  changeFiles(context, join(directory, changed));
}

/** Look at everything in both, once. */
export async function openTrees({ directory, signal }: TrialContext): Promise<Trial> {
  // The output is to go nowhere, not to this process.
  const command = 'exec find "$1" "$2" -ls >/dev/null';
  const args = ["-c", command, "sh", join(directory, original), join(directory, changed)];
  return {
    operations: [{ name: "changes", run: () => run("sh", args, { signal }) }],
    [Symbol.asyncDispose]: async () => {},
  };
}
