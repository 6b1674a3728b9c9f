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

/**
 * Remove each image. One that others are built on waits for them, so that the order of the arguments is no matter,
 * and one that is named twice (an image with two tags, by `images -q`) is removed once.
 */
async function removeImages(
  context: Context,
  store: Store,
  images: readonly string[],
  { force = false, prune }: Options,
): Promise<void> {
  const { isStrataError } = await import("@strata/core");
  const events: RemovalEvent[] = [];
  let waiting = [...new Set(images)];
  let failures: unknown[] = [];
  for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
    before = waiting.length;
    const refused: string[] = [];
    failures = failures.filter((error) => !isStrataError(error, "FailedPrecondition"));
    for (const image of waiting) {
      context.signal.throwIfAborted();
      try {
        const removed = await store.removeImages([image], { force, prune });
        if (!context.options.json) await context.stdout.lines(removed.map(describe));
        events.push(...removed);
      } catch (error) {
        if (isStrataError(error, "FailedPrecondition")) refused.push(image);
        failures.push(error);
      }
    }
    waiting = refused;
  }
  if (context.options.json) await context.stdout.json(events);
  for (const error of failures) await context.stderr.line(`Error: ${messageOf(error)}`);
  if (failures.some((error) => !(force && isStrataError(error, "NotFound")))) throw new Failed();
}

function describe(event: RemovalEvent): string {
  return "untagged" in event ? `Untagged: ${event.untagged}` : `Deleted: ${event.deleted}`;
}
