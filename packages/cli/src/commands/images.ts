import type { ImageSummary, parseName } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import { type Context, rootOf } from "../context.ts";
import { formatAge, formatMoment } from "../format/age.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { formatSize } from "../format/size.ts";
import { shortId } from "../format/text.ts";
import { addFormatOption, formatOf } from "../options/format.ts";
import { collect } from "../options/values.ts";
import { hasStore } from "../store-access.ts";
import { Row } from "../template/values.ts";

interface Options {
  readonly all?: boolean;
  readonly digests?: boolean;
  readonly filter?: readonly string[];
  readonly format?: string;
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

const listing: Listing = {
  typeName: "*formatter.imageContext",
  table: "{{.Repository}}\\t{{.Tag}}\\t{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}",
  headings: {
    ID: "IMAGE ID",
    Repository: "REPOSITORY",
    Tag: "TAG",
    Digest: "DIGEST",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    Size: "SIZE",
    Containers: "CONTAINERS",
    VirtualSize: "SIZE",
    SharedSize: "SHARED SIZE",
    UniqueSize: "UNIQUE SIZE",
  },
};
const withDigests: Listing = {
  ...listing,
  table: "{{.Repository}}\\t{{.Tag}}\\t{{.Digest}}\\t{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}",
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
  const rows = summaries.flatMap((image) =>
    namesOf(image, parseName).map((name) => rowOf(image, name, options.trunc)),
  );
  const shape = options.digests ? withDigests : listing;
  await context.stdout.lines(formatListing(shape, rows, formatOf(options)));
}

interface Name {
  readonly repository: string;
  readonly tag: string;
}

/** A line for each tag, one for a repository that has the image by digest only, one for an image without a name. */
function namesOf({ references, repoDigests }: ImageSummary, parse: typeof parseName): Name[] {
  const tagged = references.map(parse);
  const untagged = repoDigests.map(parse).filter(({ name }) => tagged.every((other) => other.name !== name));
  const names = [...tagged, ...untagged].map(({ familiarName, tag }) => ({
    repository: familiarName,
    tag: tag ?? "<none>",
  }));
  return names.length > 0 ? names : [{ repository: "<none>", tag: "<none>" }];
}

function rowOf(image: ImageSummary, name: Name, truncate: boolean): Row {
  const size = formatSize(image.size);
  const unknown = () => "N/A";
  return new Row(listing.typeName, {
    ID: () => (truncate ? shortId(image.id) : image.id),
    Repository: () => name.repository,
    Tag: () => name.tag,
    Digest: () => image.digest,
    CreatedSince: () => formatAge(image.created),
    CreatedAt: () => formatMoment(image.created),
    Size: () => size,
    VirtualSize: () => size,
    Containers: unknown,
    SharedSize: unknown,
    UniqueSize: unknown,
  });
}
