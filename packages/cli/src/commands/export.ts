import type { Command } from "commander";
import { refuseTerminal, writeArchive } from "../archive-output.ts";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { withStore } from "../store-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] CONTAINER")
    .argument("<container>", "name or ID")
    .option("-o, --output <file>", "write to a file instead of standard output")
    .examples("strata export -o web.tar web", "strata export web | tar -t")
    .action(async (container: string, { output }: { output?: string }) => {
      refuseTerminal(context, output);
      await withStore(context, async (store) => {
        await writeArchive(context, store.exportContainer(container, { signal: context.signal }), output);
      });
    });
}
