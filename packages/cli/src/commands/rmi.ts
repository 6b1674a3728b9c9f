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
  const removals = await store.removeImages(await spellOut(store, images), { force, prune });
  const events = removals.flatMap((removal) => removal.events);
  if (context.options.json) await context.stdout.json(events);
  else await context.stdout.lines(events.map(describe));
  const failures = removals.flatMap(({ error }) => error ?? []);
  for (const error of failures) await context.stderr.line(`Error: ${messageOf(error)}`);
  if (failures.some((error) => !(force && isStrataError(error, "NotFound")))) throw new Failed();
}

/**
 * `images -q` names an image once for each of its tags. One that is named as often as it has tags is to lose all its names,
 * so that `rmi $(images -q)` removes everything; docker takes the first for a mistake, and the rest for unknown.
 */
async function spellOut(store: Store, images: readonly string[]): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const image of images) counts.set(image, (counts.get(image) ?? 0) + 1);
  const named: string[] = [];
  for (const [image, count] of counts) {
    const { tags, all } = count > 1 ? await namesOf(store, image) : noNames;
    if (tags.length > 0 && tags.length <= count) named.push(...all);
    else named.push(image);
  }
  return named;
}

interface Names {
  readonly tags: readonly string[];
  /** With those that have a digest in place of a tag. */
  readonly all: readonly string[];
}

/** If there is no such image, the removal will speak of it. */
const noNames: Names = { tags: [], all: [] };

async function namesOf(store: Store, image: string): Promise<Names> {
  return await store.resolve(image).then(
    ({ references, entries }) => ({
      tags: references,
      all: entries.flatMap(({ annotations }) => annotations["org.opencontainers.image.ref.name"] ?? []),
    }),
    () => noNames,
  );
}

function describe(event: RemovalEvent): string {
  return "untagged" in event ? `Untagged: ${event.untagged}` : `Deleted: ${event.deleted}`;
}
