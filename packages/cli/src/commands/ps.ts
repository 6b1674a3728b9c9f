import type { ContainerSummary } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatListing } from "../format/listing.ts";
import { shortId } from "../format/text.ts";
import { containerListing, containerRow, containerState } from "../listings/container-rows.ts";
import { addFormatOption, formatOf } from "../options/format.ts";
import { collect, countValue } from "../options/values.ts";
import { withStore } from "../store-access.ts";

interface Options {
  readonly all?: boolean;
  readonly filter?: readonly string[];
  readonly format?: string;
  readonly last?: number;
  readonly latest?: boolean;
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

export function define(command: StrataCommand, context: Context): Command {
  addFormatOption(command);
  return command
    .usage("[OPTIONS]")
    .option("-a, --all", "list all containers, not only those that run")
    .option("-f, --filter <filter>", "id=, name=, label=KEY[=VALUE], ancestor=IMAGE, status=", collect)
    .option("-n, --last <count>", "list the last created ones, whether they run or not", countValue)
    .option("-l, --latest", "list the last created one, whether it runs or not")
    .option("--no-trunc", "print everything in full")
    .option("-q, --quiet", "print IDs only")
    .examples(
      "strata ps -a",
      "strata ps -a --filter ancestor=debian:12 --format '{{.Names}}'",
      "strata rm $(strata ps -aq)",
    )
    .action(async (options: Options) => {
      const containers = await withStore(context, async (store) => await store.containers());
      const filters = (options.filter ?? []).map(readFilter);
      const chosen = containers.filter((container) => filters.every((matches) => matches(container)));
      const last = options.latest ? 1 : options.last;
      const asked = options.all || options.filter?.some((filter) => filter.startsWith("status="));
      const shown = last !== undefined ? chosen.slice(0, last) : asked ? chosen : [];
      if (context.options.json) return await context.stdout.json(shown);
      const rows = shown.map((container) => containerRow(container, { truncate: options.trunc }));
      await context.stdout.lines(formatListing(containerListing, rows, formatOf(options)));
    });
}

type Matcher = (container: ContainerSummary) => boolean;

function readFilter(text: string): Matcher {
  const [key = "", ...rest] = text.split("=");
  const value = rest.join("=");
  if (rest.length === 0) throw new Error(`bad format of filter (expected name=value): ${text}`);
  switch (key) {
    case "id":
      return ({ id }) => id.startsWith(value);
    case "name":
      return ({ name }) => name.includes(value.replace(/^\//, ""));
    case "label":
      return ({ labels }) => {
        const [label = "", ...wanted] = value.split("=");
        return Object.hasOwn(labels, label) && (wanted.length === 0 || labels[label] === wanted.join("="));
      };
    case "ancestor":
      return ({ image, imageId }) =>
        image === value ||
        image === `${value}:latest` ||
        shortId(imageId).startsWith(value) ||
        imageId === value;
    case "status":
      return () => value === containerState;
    default:
      throw new Error(`invalid filter '${key}': there are ancestor, id, label, name and status`);
  }
}
