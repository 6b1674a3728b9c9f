import { Argument, type Command } from "commander";
import type { StrataCommand } from "../command.ts";
import { shells } from "../completion/names.ts";
import { scripts } from "../completion/scripts.ts";
import type { Context } from "../context.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("SHELL")
    .addArgument(new Argument("<shell>", "the shell that is to complete").choices(shells))
    .addHelpText("after", "\nCompletes commands, options, and the names of images and containers.")
    .examples(
      "source <(strata completion bash)",
      "strata completion bash > /etc/bash_completion.d/strata",
      "strata completion fish > ~/.config/fish/completions/strata.fish",
    )
    .action(async (shell: (typeof shells)[number]) => await context.stdout.write(scripts[shell]));
}
