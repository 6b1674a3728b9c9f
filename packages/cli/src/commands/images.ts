import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import { type Context, hasStore, rootOf } from "../context.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { imageListing, imageRows } from "../listings/image-rows.ts";
import { addFormatOption, formatOf } from "../options/format.ts";
import { collect } from "../options/values.ts";

interface Options {
  readonly all?: boolean;
  readonly digests?: boolean;
  readonly filter?: readonly string[];
  readonly format?: string;
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

const withDigests: Listing = {
  ...imageListing,
  table: imageListing.table.replace("{{.Tag}}", "{{.Tag}}\\t{{.Digest}}"),
};

export function define(command: StrataCommand, context: Context): Command {
  addFormatOption(command);
  return command
    .usage("[OPTIONS] [REPOSITORY[:TAG]]")
    .argument("[repository]", "only images of this name; * and ? match")
    .option("-a, --all", "list intermediate images, too")
    .option("--digests", "show the digests of manifests")
    .option(
      "-f, --filter <filter>",
      "dangling=true|false, label=KEY[=VALUE], before=IMAGE, since=IMAGE, reference=PATTERN",
      collect,
    )
    .option("--no-trunc", "show whole IDs")
    .option("-q, --quiet", "print IDs only")
    .examples(
      "strata images",
      "strata images --digests 'debian:*'",
      "strata images --filter dangling=true -q",
      "strata images --format '{{.Repository}}:{{.Tag}} {{.Size}}'",
    )
    .action(
      async (repository: string | undefined, options: Options) => await images(context, repository, options),
    );
}

async function images(context: Context, repository: string | undefined, options: Options): Promise<void> {
  const { listImages, parseImageFilter, parseName } = await import("@strata/store");
  const wanted = {
    ...(options.all && { all: true }),
    filters: (options.filter ?? []).map(parseImageFilter),
    ...(repository !== undefined && { references: [repository] }),
  };
  const summaries = hasStore(context) ? await listImages({ root: rootOf(context.options) }, wanted) : [];
  if (context.options.json) return await context.stdout.json(summaries);
  const rows = summaries.flatMap((image) => imageRows(image, { parseName, truncate: options.trunc }));
  const shape = options.digests ? withDigests : imageListing;
  await context.stdout.lines(formatListing(shape, rows, formatOf(options)));
}
