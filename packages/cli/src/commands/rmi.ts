import type { RemovalEvent, Store } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { Failed, messageOf } from "../failure.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly force?: boolean;
  readonly prune: boolean;
}

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[OPTIONS] IMAGE [IMAGE...]")
    .argument("<images...>", "names, IDs or digests")
    .option(
      "-f, --force",
      "remove also with several names or stopped containers; an unknown image is no error",
    )
    .option("--no-prune", "keep parents that have no name")
    .examples("strata rmi debian:12", "strata rmi $(strata images -q)", "strata rmi -f $(strata images -aq)")
    .action(async (images: string[], options: Options) => {
      await withStore(context, async (store) => await removeImages(context, store, images, options));
    });
}

/** Remove what can be removed, and report the rest: one failure does not keep the others from it. */
async function removeImages(
  context: Context,
  store: Store,
  images: readonly string[],
  { force = false, prune }: Options,
): Promise<void> {
  const { isStrataError } = await import("@strata/core");
  const removals = await store.removeImages(images, { force, prune });
  const events = removals.flatMap((removal) => removal.events);
  if (context.options.json) await context.stdout.json(events);
  else await context.stdout.lines(events.map(describe));
  const failures = removals.flatMap(({ error }) => error ?? []);
  for (const error of failures) await context.stderr.line(`Error: ${messageOf(error)}`);
  if (failures.some((error) => !(force && isStrataError(error, "NotFound")))) throw new Failed();
}

function describe(event: RemovalEvent): string {
  return "untagged" in event ? `Untagged: ${event.untagged}` : `Deleted: ${event.deleted}`;
}
