import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { checkOutputPath, writeOutput } from "../output-file.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] RESULTS.json")
    .argument("<results>", "what 'strata bench --json' wrote")
    .option("--html <file>", "write a page with plots, which needs nothing else, instead of the table")
    .examples("strata bench report out.json", "strata bench report out.json --html report.html")
    .action(async (path: string, { html }: { html?: string }) => {
      const { benchPage, readResults, tableLines } = await import("@strata/benchmarks");
      if (html !== undefined) await checkOutputPath(html);
      const results = await readResults(path);
      if (html !== undefined) {
        await writeOutput(html, benchPage(results));
        await context.stderr.line(`Wrote ${html}`);
      }
      if (context.options.json) await context.stdout.json(results);
      else if (html === undefined) await context.stdout.lines(tableLines(results));
    });
}
