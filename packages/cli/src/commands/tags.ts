import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { withRegistries } from "../registry-access.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("NAME")
    .argument("<name>", "[HOST/][USER/]NAME, without a tag")
    .addHelpText("after", "\nPrints them as the registry sends them, page by page, in its order.")
    .examples("strata tags debian", "strata tags localhost:5000/app | grep '^v2'")
    .action(async (name: string) => await tags(context, name));
}

async function tags(context: Context, name: string): Promise<void> {
  const { stdout, signal, options } = context;
  const { parseName } = await import("@strata/store");
  const reference = parseName(name);
  if (reference.tag !== undefined || reference.digest !== undefined)
    throw new Error(`${name} names an image: the tags are those of ${reference.familiarName}`);
  await withRegistries(context, async (registries) => {
    const found: string[] = [];
    for await (const tag of registries.repository(reference).tags(signal)) {
      if (options.json) found.push(tag);
      else await stdout.line(tag);
    }
    if (options.json) await stdout.json(found);
  });
}
