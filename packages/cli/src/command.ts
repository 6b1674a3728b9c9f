import { Command, CommanderError, Option } from "commander";
import type { Leaf } from "./catalogue.ts";

/** A command line that is not understood: a flag, an argument, a value. Exit code 125, as docker's. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** The command it was meant for: `strata images`. */
  readonly command: string;

  constructor(message: string, command: string) {
    super(message);
    this.command = command;
  }
}

/** Options of every command, wherever they stand on the line. */
export interface GlobalOptions {
  readonly root?: string;
  readonly driver?: string;
  readonly durability?: "none" | "commit";
  readonly json?: boolean;
}

/** Commander's command, with the habits of docker's command line. */
export class StrataCommand extends Command {
  /** Where the rest of this command is, if it is not a group; see `define`. */
  leaf: Leaf | undefined;
  defined = false;

  override createCommand(name?: string): StrataCommand {
    return new StrataCommand(name);
  }

  /** `strata images`, for hints. */
  get path(): string {
    return this.parent instanceof StrataCommand ? `${this.parent.path} ${this.name()}` : this.name();
  }

  /** Understands `--flag=true` and `--flag=false`, as Go's flags do. */
  override parseOptions(args: string[]): ReturnType<Command["parseOptions"]> {
    const end = args.indexOf("--");
    return super.parseOptions(
      args.flatMap((arg, index) => (end >= 0 && index > end ? arg : this.#plain(arg))),
    );
  }

  #plain(arg: string): string | string[] {
    const [, flag, value] = /^(-\w|--[\w-]+)=(true|false)$/.exec(arg) ?? [];
    if (flag === undefined) return arg;
    const option = this.options.find((known) => known.short === flag || known.long === flag);
    if (!option?.isBoolean() && !option?.negate) return arg;
    if (value === "true") return flag;
    const opposite = option.negate ? `--${option.attributeName()}` : `--no-${option.name()}`;
    return this.options.some((known) => known.long === opposite) ? opposite : [];
  }

  /** A group without a subcommand shows its help and is content. */
  override help(): never {
    this.outputHelp();
    throw new CommanderError(0, "commander.help", "(outputHelp)");
  }

  override error(message: string): never {
    throw new UsageError(message.replace(/^error: /, ""), this.path);
  }

  /** Lines of `--help` that show the command in use. */
  examples(...lines: string[]): this {
    return this.addHelpText("after", `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`);
  }
}

/**
 * Let `command` take the global options.
 * @param listed - in its help: the program's own
 * @param jsonFile - `--json` may be followed by a file, and is in the help then
 */
export function addGlobalOptions(
  command: Command,
  { listed, jsonFile = false }: { listed: boolean; jsonFile?: boolean },
): void {
  const options = [
    new Option("--root <dir>", "directory of all state (env STRATA_ROOT)"),
    new Option(
      "--driver <name>",
      "storage driver: overlay2, btrfs, vfs, a package or a path (env STRATA_DRIVER)",
    ),
    new Option("--durability <level>", "what survives a power cut: commit, or none for speed").choices([
      "none",
      "commit",
    ]),
  ];
  for (const option of options) command.addOption(listed ? option : option.hideHelp());
  const json = new Option("--json", "print JSON instead of text").hideHelp(!listed);
  command.addOption(
    jsonFile
      ? new Option("--json [file]", "write the results to a file, or print them instead of text")
      : json,
  );
}

/** The global options in force for `command`: those written nearest to it win. */
export function globalOptionsOf(command: Command): GlobalOptions {
  const above = command.parent ? globalOptionsOf(command.parent) : {};
  const { json, ...others } = command.opts<GlobalOptions & { json?: boolean | string }>();
  // `--json FILE` changes nothing in what is printed.
  return { ...above, ...others, ...(typeof json === "boolean" && { json }) };
}
