import type { SearchResult } from "@strata/registry";
import { type Command, InvalidArgumentError } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { ellipsis } from "../format/text.ts";
import { addFormatOption, formatOf } from "../options/format.ts";
import { collect, countValue } from "../options/values.ts";
import { withRegistries } from "../registry-access.ts";
import { hub, registryNamed } from "../registry-name.ts";
import { Row } from "../template/values.ts";

interface Options {
  readonly filter?: readonly string[];
  readonly format?: string;
  readonly limit: number;
  readonly trunc: boolean;
}

const listing: Listing = {
  typeName: "*formatter.searchContext",
  table: "{{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}\\t{{.IsAutomated}}",
  headings: {
    Name: "NAME",
    Description: "DESCRIPTION",
    StarCount: "STARS",
    IsOfficial: "OFFICIAL",
    IsAutomated: "AUTOMATED",
  },
};

const maxLimit = 100;

export function define(command: StrataCommand, context: Context): Command {
  addFormatOption(command);
  return command
    .usage("[OPTIONS] [HOST/]TERM")
    .argument("<term>", "a part of the name; on docker.io, of the description, too")
    .option(
      "-f, --filter <filter>",
      "stars=COUNT (at least), is-official=true|false, is-automated=true|false",
      collect,
    )
    .option("--limit <count>", "list at most so many, 1 to 100", limitValue, 25)
    .option("--no-trunc", "show whole descriptions")
    .addHelpText(
      "after",
      "\nA registry that cannot search is asked for its catalog, which is looked through; HOST/ lists all of it.",
    )
    .examples(
      "strata search --filter stars=100 nginx",
      "strata search localhost:5000/app",
      "strata search --format '{{.Name}}' localhost:5000/",
    )
    .action(async (term: string, options: Options) => await search(context, term, options));
}

/** @throws InvalidArgumentError */
function limitValue(text: string): number {
  const limit = countValue(text);
  if (limit < 1 || limit > maxLimit) throw new InvalidArgumentError(`Outside the range of [1, ${maxLimit}].`);
  return limit;
}

async function search(context: Context, text: string, options: Options): Promise<void> {
  const { stdout, signal } = context;
  const filters = (options.filter ?? []).map(readFilter);
  const [host, term] = splitTerm(text);
  const registry = host === "" ? hub : await registryNamed(host);
  // What a filter leaves out shall make room for what follows.
  const limit = filters.length > 0 ? maxLimit : options.limit;
  const found = await withRegistries(
    context,
    async (registries) => await registries.host(registry).search(term, { limit, signal }),
  );
  const results = found
    .filter((result) => filters.every((matches) => matches(result)))
    .slice(0, options.limit)
    .map((result) => ({ ...result, name: registry === hub ? result.name : `${registry}/${result.name}` }))
    .sort((a, b) => b.stars - a.stars);
  if (context.options.json) return await stdout.json(results);
  const rows = results.map((result) => rowOf(result, options));
  await stdout.lines(formatListing(listing, rows, formatOf(options)));
}

/** As docker: what stands before the first slash is a registry if it has a dot or a port, or is this machine. */
function splitTerm(text: string): [host: string, term: string] {
  const slash = text.indexOf("/");
  const host = text.slice(0, Math.max(slash, 0));
  return /[.:]/.test(host) || host === "localhost" ? [host, text.slice(slash + 1)] : ["", text];
}

type Matcher = (result: SearchResult) => boolean;

function readFilter(text: string): Matcher {
  const equals = text.indexOf("=");
  if (equals < 0) throw new Error(`bad format of filter (expected name=value): ${text}`);
  const [key, value] = [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
  switch (key) {
    case "stars": {
      if (!/^\d+$/.test(value)) throw new Error(`invalid filter 'stars=${value}': expected a count`);
      return ({ stars }) => stars >= Number(value);
    }
    case "is-official":
      return flagFilter(key, value, ({ isOfficial }) => isOfficial);
    case "is-automated":
      return flagFilter(key, value, ({ isAutomated }) => isAutomated);
    default:
      throw new Error(`invalid filter '${key}': there are is-automated, is-official and stars`);
  }
}

function flagFilter(key: string, value: string, flagOf: Matcher): Matcher {
  if (/^(true|1)$/i.test(value)) return flagOf;
  if (/^(false|0)$/i.test(value)) return (result) => !flagOf(result);
  throw new Error(`invalid filter '${key}=${value}': expected true or false`);
}

function rowOf({ name, description, stars, isOfficial, isAutomated }: SearchResult, { trunc }: Options): Row {
  // Descriptions are written freely; a table has one line for each.
  const line = description.replace(/\s+/g, " ");
  return new Row(listing.typeName, {
    Name: () => name,
    Description: () => (trunc ? ellipsis(line, 45) : line),
    StarCount: () => String(stars),
    IsOfficial: () => (isOfficial ? "[OK]" : ""),
    IsAutomated: () => (isAutomated ? "[OK]" : ""),
  });
}
