import type { DiskUsage, Store, UsageLine } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { formatSize } from "../format/size.ts";
import { containerListing, containerRow } from "../listings/container-rows.ts";
import { imageListing, imageRows } from "../listings/image-rows.ts";
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

const imageDetails: Listing = {
  ...imageListing,
  table: `${imageListing.table}\\t{{.SharedSize}}\\t{{.UniqueSize}}\\t{{.Containers}}`,
};
const containerDetails: Listing = {
  ...containerListing,
  table: "{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.Size}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Names}}",
};

interface Options {
  readonly format?: string;
  readonly verbose?: boolean;
}

export function define(command: StrataCommand, context: Context): Command {
  addFormatOption(command);
  return command
    .usage("[OPTIONS]")
    .option("-v, --verbose", "show each image and each container")
    .addHelpText(
      "after",
      "\nImages: their unpacked layers. Blobs: what they came as, kept for save. Staging: what interrupted" +
        "\ncommands left, which 'strata gc' gives back.",
    )
    .examples("strata df", "strata df -v", "strata df --format '{{.Type}}: {{.Reclaimable}}'")
    .action(async (options: Options) => {
      await withStore(context, async (store) => await df(context, store, options));
    });
}

async function df(
  { options, signal, stdout }: Context,
  store: Store,
  { format, verbose }: Options,
): Promise<void> {
  const usage = await store.usage({ signal });
  if (options.json) return await stdout.json(usage);
  if (verbose) return await stdout.lines(await details(store, usage));
  const rows = [
    rowOf("Images", usage.images),
    rowOf("Containers", usage.containers),
    rowOf("Blobs", usage.blobs),
    rowOf("Staging", usage.staging),
  ];
  await stdout.lines(formatListing(listing, rows, format));
}

async function details(store: Store, { perImage, perContainer }: DiskUsage): Promise<string[]> {
  const { parseName } = await import("@strata/store");
  const images = (await store.images({ all: true })).flatMap((image) =>
    imageRows(image, { parseName, truncate: true, usage: perImage.find(({ id }) => id === image.id) }),
  );
  const containers = (await store.containers()).map((container) =>
    containerRow(container, { truncate: true, usage: perContainer.find(({ id }) => id === container.id) }),
  );
  return [
    ...["Images space usage:", "", ...formatListing(imageDetails, images), ""],
    ...["Containers space usage:", "", ...formatListing(containerDetails, containers)],
  ];
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
