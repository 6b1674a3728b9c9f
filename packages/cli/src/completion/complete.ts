import type { Option } from "commander";
import { globalOptionsOf, StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { define } from "../define.ts";
import { namesFor } from "./names.ts";

/** One way to go on. */
export interface Candidate {
  readonly text: string;
  readonly description?: string;
}

/** What the shell is to offer; `files`, if its own file names are what fits. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

/**
 * How a command line can go on.
 * @param words - without `strata`; the last is what has been typed of the next word, perhaps nothing
 */
export async function complete(
  program: StrataCommand,
  words: readonly string[],
  context: Context,
): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const { command, option: begun } = await walk(program, words.slice(0, -1), context);
  const option = begun && takes(begun, typed) ? begun : undefined;
  // Names come from the store that the line is about.
  context.options = { ...context.options, ...globalOptionsOf(command) };
  const files = option ? isPath(option) : !typed.startsWith("-") && command.leaf?.completes === "file";
  const candidates = option
    ? valuesOf(option)
    : typed.startsWith("-")
      ? optionsOf(command)
      : [...commandsOf(command), ...(await namesFor(command.leaf?.completes, context))];
  return { candidates: candidates.filter(({ text }) => text.startsWith(typed)), files };
}

/** Follow the words down to the command they choose, and to the option that waits for its value. */
async function walk(
  program: StrataCommand,
  words: readonly string[],
  context: Context,
): Promise<{ command: StrataCommand; option: Option | undefined }> {
  let command = program;
  let option: Option | undefined;
  for (const word of words) {
    if (option && takes(option, word)) {
      command.setOptionValue(option.attributeName(), word);
      option = undefined;
    } else if (word.startsWith("-")) {
      option = command.options.find(
        (known) => (known.required || known.optional) && (known.short === word || known.long === word),
      );
    } else {
      command =
        childrenOf(command).find((child) => [child.name(), ...child.aliases()].includes(word)) ?? command;
      await define(command, context);
    }
  }
  return { command, option };
}

/** Whether a word is the option's value: what can be without one takes no further option for it. */
function takes(option: Option, word: string): boolean {
  return option.required || !word.startsWith("-");
}

function childrenOf(command: StrataCommand): StrataCommand[] {
  return command.commands.filter((child) => child instanceof StrataCommand);
}

function commandsOf(command: StrataCommand): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ text: child.name(), description: child.summary() }));
}

function optionsOf(command: StrataCommand): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ text: long ?? short ?? "", description }));
}

function valuesOf(option: Option): Candidate[] {
  return (option.argChoices ?? []).map((text) => ({ text }));
}

function isPath(option: Option): boolean {
  return /[<[](?:file|path|dir)[>\]]/.test(option.flags);
}
