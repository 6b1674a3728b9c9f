import type { HistoryEntry } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatAge } from "../format/age.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { formatSize } from "../format/size.ts";
import { ellipsis, shortId } from "../format/text.ts";
import { addFormatOption, formatOf } from "../options/format.ts";
import { withStore } from "../store-access.ts";
import { Row } from "../template/values.ts";

interface Options {
  readonly format?: string;
  readonly human: boolean;
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

const listing: Listing = {
  typeName: "*formatter.historyContext",
  table: "{{.ID}}\\t{{.CreatedSince}}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}",
  headings: {
    ID: "IMAGE",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    CreatedBy: "CREATED BY",
    Size: "SIZE",
    Comment: "COMMENT",
  },
};
const exact: Listing = { ...listing, table: listing.table.replace("CreatedSince", "CreatedAt") };

export function define(command: StrataCommand, context: Context): Command {
  addFormatOption(command);
  return command
    .usage("[OPTIONS] IMAGE")
    .argument("<image>", "name, ID or digest")
    .option("-H, --human", "print sizes and dates for people", true)
    .option("--no-human", "print bytes and moments")
    .option("--no-trunc", "print everything in full")
    .option("-q, --quiet", "print IDs only")
    .examples(
      "strata history debian:12",
      "strata history --no-trunc --format '{{.CreatedBy}}' debian:12",
      "strata history --human=false debian:12",
    )
    .action(async (image: string, options: Options) => {
      const steps = await withStore(context, async (store) => await store.history(image));
      if (context.options.json) return await context.stdout.json(steps);
      const rows = steps.map((step) => rowOf(step, options));
      const shape = options.human ? listing : exact;
      await context.stdout.lines(formatListing(shape, rows, formatOf(options)));
    });
}

function rowOf(step: HistoryEntry, { trunc, human }: Options): Row {
  const createdBy = step.createdBy.replaceAll("\t", " ");
  return new Row(listing.typeName, {
    ID: () => (step.id === undefined ? "<missing>" : trunc ? shortId(step.id) : step.id),
    CreatedSince: () => (human ? formatAge(step.created) : momentOf(step.created)),
    CreatedAt: () => momentOf(step.created),
    CreatedBy: () => (trunc ? ellipsis(createdBy, 45) : createdBy),
    Size: () => (human ? formatSize(step.size) : String(step.size)),
    Comment: () => step.comment,
  });
}

/** Without fractions of a second, as docker prints it. */
function momentOf(created: string): string {
  const then = Date.parse(created);
  return Number.isNaN(then) ? created : `${new Date(then).toISOString().slice(0, 19)}Z`;
}
