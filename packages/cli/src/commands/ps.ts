import type { ContainerSummary } from "@strata/store";
import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatAge, formatMoment } from "../format/age.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { ellipsis, shortId } from "../format/text.ts";
import { addFormatOption, formatOf } from "../options/format.ts";
import { collect, countValue } from "../options/values.ts";
import { withStore } from "../store-access.ts";
import { Row } from "../template/values.ts";

interface Options {
  readonly all?: boolean;
  readonly filter?: readonly string[];
  readonly format?: string;
  readonly last?: number;
  readonly latest?: boolean;
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

const listing: Listing = {
  typeName: "*formatter.ContainerContext",
  table: "{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}",
  headings: {
    ID: "CONTAINER ID",
    Names: "NAMES",
    Image: "IMAGE",
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    RunningFor: "CREATED",
    Ports: "PORTS",
    State: "STATE",
    Status: "STATUS",
    Labels: "LABELS",
    Mounts: "MOUNTS",
  },
};

/** No container runs yet: each has been created, and perhaps mounted. */
const state = "created";

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
      const rows = shown.map((container) => rowOf(container, options.trunc));
      await context.stdout.lines(formatListing(listing, rows, formatOf(options)));
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
      return () => value === state;
    default:
      throw new Error(`invalid filter '${key}': there are ancestor, id, label, name and status`);
  }
}

function rowOf(container: ContainerSummary, truncate: boolean): Row {
  const { id, name, image, created, labels, mountedAt } = container;
  const words = container.command.join(" ");
  return new Row(listing.typeName, {
    ID: () => (truncate ? shortId(id) : id),
    Names: () => name,
    Image: () => image,
    Command: () => JSON.stringify(truncate ? ellipsis(words, 20) : words),
    CreatedAt: () => formatMoment(created),
    RunningFor: () => formatAge(created),
    Ports: () => "",
    State: () => state,
    Status: () => (mountedAt === undefined ? "Created" : "Created (mounted)"),
    Labels: () =>
      Object.entries(labels)
        .map((pair) => pair.join("="))
        .join(","),
    Label: (label) => labels[label] ?? "",
    Mounts: () => mountedAt ?? "",
  });
}
