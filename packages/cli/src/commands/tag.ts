import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { withStore } from "../store-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]")
    .argument("<source>", "name, ID or digest of an image")
    .argument("<target>", "its further name: [HOST/][USER/]NAME[:TAG]")
    .examples("strata tag debian:12 debian:stable", "strata tag 0e5574283393 localhost:5000/me/tools:v2")
    .action(async (source: string, target: string) => {
      await withStore(context, async (store) => await store.tag(source, target));
      if (context.options.json) await context.stdout.json({ source, target });
    });
}
