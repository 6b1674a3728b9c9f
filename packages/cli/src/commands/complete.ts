import type { Command } from "commander";
import { StrataCommand } from "../command.ts";
import { complete } from "../completion/complete.ts";
import type { Context } from "../context.ts";

/** What the completion scripts call. */
export function define(command: StrataCommand, context: Context): Command {
  return command.argument("[words...]").action(async (words: string[]) => {
    const { parent } = command;
    if (!(parent instanceof StrataCommand)) return;
    const { candidates, files } = await complete(parent, words, context);
    for (const { text, description } of candidates)
      await context.stdout.line(description === undefined ? text : `${text}\t${description}`);
    if (files) await context.stdout.line(":files");
  });
}
