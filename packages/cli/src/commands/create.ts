import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { collect } from "../options/values.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly name?: string;
  readonly label?: readonly string[];
}

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] IMAGE [COMMAND] [ARG...]")
    .argument("<image>", "name, ID or digest")
    .argument("[command...]", "what is to run in it")
    .option("--name <name>", "name of the container; two words are made up without")
    .option("-l, --label <key=value>", "note with the container", collect)
    .passThroughOptions()
    .examples("strata create --name web debian:12", "strata create -l owner=me debian:12 bash -c 'echo hi'")
    .action(async (image: string, words: string[], { name, label = [] }: Options) => {
      const { id } = await withStore(
        context,
        async (store) =>
          await store.createContainer(image, {
            ...(name !== undefined && { name }),
            ...(words.length > 0 && { command: words }),
            labels: Object.fromEntries(label.map(readLabel)),
          }),
      );
      if (context.options.json) await context.stdout.json({ id });
      else await context.stdout.line(id);
    });
}

function readLabel(text: string): [string, string] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}
