import { join } from "node:path";
import { removeTree } from "@strata/core";
import { run } from "../../peers/command.ts";
import type { Trial, TrialContext } from "../../workload.ts";
import { numbered } from "../numbered.ts";
import { writeParent } from "./make-store.ts";

const source = "source";

/** The parent's tree, as a plain directory. */
export async function makeTreeForCp(context: TrialContext): Promise<void> {
  await writeParent(context, join(context.directory, source));
}

/** What people do who have no snapshots: beside prepare, which for a driver that copies is the same work. */
export function copyTreeByCp(context: TrialContext): Trial {
  const { directory, iterations, signal } = context;
  const target = (number: number) => join(directory, `target-${number}`);
  const operation = numbered(iterations, {
    name: "prepare",
    before: (number) => removeTree(target(number)),
    run: (number) => run("cp", ["-a", join(directory, source), target(number)], { signal }),
  });
  return { operations: [operation], [Symbol.asyncDispose]: async () => {} };
}
