import type { Problem } from "@strata/core";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { Failed } from "../failure.ts";
import { LiveLines } from "../progress/live-lines.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly quick?: boolean;
  readonly repair?: boolean;
}

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS]")
    .option("--quick", "compare presence and sizes only, no content")
    .option("--repair", "write anew from its blob what is damaged")
    .addHelpText(
      "after",
      "\nLists what is damaged, or with --repair what is left to do; exit code 1 if that is anything.",
    )
    .examples("strata check", "strata check --quick", "strata check --repair")
    .action(async (options: Options) => await check(context, options));
}

async function check(context: Context, options: Options): Promise<void> {
  const { stdout, stderr } = context;
  const problems = await findProblems(context, options);
  if (context.options.json) await stdout.json(problems);
  else
    await stdout.lines(
      problems.length > 0
        ? problems.map(describe)
        : [options.repair ? "Nothing is left to repair" : "No problems found"],
    );
  if (problems.length === 0) return;
  if (!options.repair && !context.options.json)
    await stderr.line("Run 'strata check --repair' to mend what can be mended");
  throw new Failed();
}

async function findProblems(
  context: Context,
  { quick = false, repair = false }: Options,
): Promise<readonly Problem[]> {
  const { stderr, signal, options } = context;
  using progress = stderr.isTerminal && !options.json ? new LiveLines(stderr, stderr) : undefined;
  const problems = await withStore(context, async (store) => {
    const checks = {
      quick,
      signal,
      onProgress: (subject: string) => progress?.set("check", `Checking ${subject}`),
    };
    return repair ? await store.repair(checks) : await store.check(checks);
  });
  progress?.set("check", "Checked");
  return problems;
}

function describe({ subject, message }: Problem): string {
  return `${subject}: ${message}`;
}
