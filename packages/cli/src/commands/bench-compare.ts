import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] A.json B.json")
    .argument("<a>", "what 'strata bench --json' wrote: of one host or commit")
    .argument("<b>", "and of the other one")
    .addHelpText("after", "\nA difference counts if it is beyond what the samples of both vary by anyway.")
    .examples("strata bench compare before.json after.json")
    .action(async (a: string, b: string) => {
      const { compareLines, compareResults, readResults } = await import("@strata/benchmarks");
      const comparison = compareResults(await readResults(a), await readResults(b));
      if (context.options.json) await context.stdout.json(comparison);
      else await context.stdout.lines(compareLines(comparison));
    });
}
