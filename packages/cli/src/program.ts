import { CommanderError } from "commander";
import { type Catalogue, catalogue } from "./catalogue.ts";
import { addGlobalOptions, globalOptionsOf, StrataCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { define } from "./define.ts";
import { reportFailure } from "./failure.ts";
import { version } from "./version.ts";

/**
 * Run one command line.
 * @param args - without the interpreter and the script
 * @returns the exit code
 */
export async function run(args: readonly string[], context: Context): Promise<number> {
  try {
    await createProgram(context).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // Help or the version was asked for, and shown.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return await reportFailure(error, context);
  }
}

/** The whole command tree; a command gets its options when it is chosen, by `define`. */
export function createProgram(context: Context): StrataCommand {
  const program = new StrataCommand("strata");
  program
    .description("Container-image layer storage: load, change, commit and save images")
    .usage("[OPTIONS] COMMAND")
    .version(`strata ${version}`, "-v, --version", "print the version and quit")
    .helpOption("-h, --help", "print help and quit")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ sortOptions: false, subcommandTerm: (command) => command.name() })
    .addHelpText("after", "\nRun 'strata COMMAND --help' for more information on a command.");
  addGlobalOptions(program, { listed: true });
  program.hook("preAction", (_, command) => {
    context.options = globalOptionsOf(command);
  });
  addCommands(program, catalogue, context);
  program.command("help [command...]", { hidden: true }).action(async (words: string[]) => {
    await createProgram(context).parseAsync([...words, "--help"], { from: "user" });
  });
  return program;
}

function addCommands(parent: StrataCommand, commands: Catalogue, context: Context): void {
  for (const [name, entry] of Object.entries(commands)) {
    const command = parent.createCommand(name);
    command.copyInheritedSettings(parent).summary(entry.summary).description(entry.summary);
    if ("load" in entry) {
      command.aliases(entry.aliases ?? []);
      command.leaf = entry;
    } else command.usage("COMMAND");
    if (entry.commands) addCommands(command.helpCommand(false), entry.commands, context);
    parent.addCommand(command, { hidden: name.startsWith("_") });
  }
  parent.hook("preSubcommand", async (_, command) => {
    if (command instanceof StrataCommand) await define(command, context);
  });
}
