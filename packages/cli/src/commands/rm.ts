import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { forEachName } from "../each.ts";
import { withStore } from "../store-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] CONTAINER [CONTAINER...]")
    .argument("<containers...>", "names or IDs")
    .option("-f, --force", "unmount first what is mounted")
    .examples("strata rm web", "strata rm -f $(strata ps -aq)")
    .action(async (containers: string[], { force = false }: { force?: boolean }) => {
      await withStore(context, async (store) => {
        await forEachName(context, containers, async (name) => await store.removeContainer(name, { force }));
      });
    });
}
