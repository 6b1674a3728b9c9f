import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { forEachName } from "../each.ts";
import { withStore } from "../store-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] CONTAINER [CONTAINER...]")
    .argument("<containers...>", "names or IDs")
    .option("-f, --force", "detach even if files are open")
    .examples("strata umount web", "strata umount --force $(strata ps -aq)")
    .action(async (containers: string[], { force = false }: { force?: boolean }) => {
      await withStore(context, async (store) => {
        await forEachName(context, containers, async (name) => await store.unmountContainer(name, { force }));
      });
    });
}
