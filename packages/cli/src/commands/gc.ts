import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatSize } from "../format/size.ts";
import { withStore } from "../store-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS]")
    .addHelpText(
      "after",
      "\nRemoves no image and no container: only what removed ones and interrupted commands left behind.",
    )
    .examples("strata gc")
    .action(async () => {
      const report = await withStore(context, async (store) => await store.gc({ signal: context.signal }));
      if (context.options.json) return await context.stdout.json(report);
      await context.stdout.line(`Removed ${report.removed}, reclaimed ${formatSize(report.bytes, 4)}`);
    });
}
