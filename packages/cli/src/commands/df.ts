import type { UsageLine } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { formatSize } from "../format/size.ts";
import { addFormatOption } from "../options/format.ts";
import { withStore } from "../store-access.ts";
import { Row } from "../template/values.ts";

const listing: Listing = {
  typeName: "*formatter.diskUsageContext",
  table: "{{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}",
  headings: {
    Type: "TYPE",
    TotalCount: "TOTAL",
    Active: "ACTIVE",
    Size: "SIZE",
    Reclaimable: "RECLAIMABLE",
  },
};

export function define(command: StrataCommand, context: Context): Command {
  addFormatOption(command);
  return command
    .usage("[OPTIONS]")
    .addHelpText(
      "after",
      "\nImages: their unpacked layers. Blobs: what they came as, kept for save. Staging: what interrupted" +
        "\ncommands left, which 'strata gc' gives back.",
    )
    .examples("strata df", "strata df --format '{{.Type}}: {{.Reclaimable}}'")
    .action(async ({ format }: { format?: string }) => {
      const usage = await withStore(context, async (store) => await store.usage());
      if (context.options.json) return await context.stdout.json(usage);
      const rows = [
        rowOf("Images", usage.images),
        rowOf("Containers", usage.containers),
        rowOf("Blobs", usage.blobs),
        rowOf("Staging", usage.staging),
      ];
      await context.stdout.lines(formatListing(listing, rows, format));
    });
}

function rowOf(type: string, { count, active, bytes, reclaimable }: UsageLine): Row {
  const share = bytes > 0 ? ` (${Math.floor((reclaimable / bytes) * 100)}%)` : "";
  return new Row(listing.typeName, {
    Type: () => type,
    TotalCount: () => String(count),
    Active: () => String(active),
    Size: () => formatSize(bytes, 4),
    Reclaimable: () => formatSize(reclaimable, 4) + share,
  });
}
