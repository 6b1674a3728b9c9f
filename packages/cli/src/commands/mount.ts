import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { withStore } from "../store-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("CONTAINER")
    .argument("<container>", "name or ID")
    .addHelpText("after", "\nThe mount outlives this command; 'strata umount' ends it.")
    .examples("cd $(strata mount web)", "ls $(strata mount web)/etc")
    .action(async (container: string) => {
      const path = await withStore(context, async (store) => await store.mountContainer(container));
      if (context.options.json) await context.stdout.json({ path });
      else await context.stdout.line(path);
    });
}
