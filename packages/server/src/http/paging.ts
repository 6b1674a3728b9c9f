import type { Exchange } from "./exchange.ts";
import { RegistryError } from "./registry-error.ts";

/** How many items an answer has that nobody limited. */
const defaultItems = 1000;

export interface Page {
  readonly items: readonly string[];
  /** `Link`, if there are more. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The part of a sorted list that `n` and `last` of a request ask for.
 * @see OCI distribution-spec, "Listing Tags"
 */
export function pageOf({ path, query }: Exchange, all: readonly string[]): Page {
  const count = countOf(query.get("n"));
  const last = query.get("last");
  const rest = last === null ? all : all.filter((item) => item > last);
  const items = rest.slice(0, count);
  const end = items.at(-1);
  if (end === undefined || items.length === rest.length) return { items, headers: {} };
  const next = new URLSearchParams({ n: String(count), last: end });
  return { items, headers: { link: `<${path}?${next}>; rel="next"` } };
}

function countOf(text: string | null): number {
  if (text === null) return defaultItems;
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text), 10 * defaultItems);
  throw new RegistryError(400, "UNSUPPORTED", `n=${text}: a number of items, not below 0`);
}
