import { StrataError } from "@strata/core";
import { defaultRegistry } from "@strata/store";
import type { Endpoint } from "./api/endpoint.ts";
import { faultError } from "./api/fault.ts";
import { listRepositories } from "./api/lists.ts";
import { displayUrl, type HttpAnswer } from "./http/message.ts";
import { asObject, asText, type JsonObject, parseObject } from "./json.ts";

const defaultLimit = 25;
const maxLimit = 100;

export interface SearchOptions {
  /** How many are wanted at most, 1 to 100. @defaultValue 25 */
  readonly limit?: number;
  /**
   * The origins that search the Hub: the older request, and the one that is asked if that fails.
   * @defaultValue `https://index.docker.io` and `https://hub.docker.com`
   */
  readonly hub?: { readonly v1: string; readonly v2: string };
  readonly signal?: AbortSignal | undefined;
}

/** A repository that was found. */
export interface SearchResult {
  /** As it is pulled from that registry: `nginx`, `bitnami/nginx`. */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}

/** @see RegistryHost.search */
export async function searchRegistry(
  endpoint: Endpoint,
  term: string,
  options: SearchOptions = {},
): Promise<SearchResult[]> {
  const { limit = defaultLimit } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new StrataError("InvalidArgument", `limit ${limit} is outside the range of [1, ${maxLimit}]`);
  }
  const found =
    endpoint.host === defaultRegistry
      ? searchHub(endpoint, term, limit, options)
      : searchOther(endpoint, term, limit, options);
  return (await found).slice(0, limit);
}

async function searchHub(
  endpoint: Endpoint,
  term: string,
  limit: number,
  { hub = { v1: "https://index.docker.io", v2: "https://hub.docker.com" }, signal }: SearchOptions,
): Promise<SearchResult[]> {
  const v1 = new URL(`/v1/search?${new URLSearchParams({ q: term, n: String(limit) })}`, hub.v1);
  const old = await endpoint
    .send({ method: "GET", to: v1, scopes: [], attempts: 1, signal })
    .catch((error: unknown) => {
      signal?.throwIfAborted();
      return error;
    });
  if (isAnswer(old) && old.status === 200) return resultsOf(old);
  const query = new URLSearchParams({ query: term, page_size: String(limit) });
  const v2 = new URL(`/v2/search/repositories/?${query}`, hub.v2);
  const answer = await endpoint.send({ method: "GET", to: v2, scopes: [], signal });
  if (answer.status !== 200) throw faultError(answer, `search of ${endpoint.host}`);
  return resultsOf(answer);
}

async function searchOther(
  endpoint: Endpoint,
  term: string,
  limit: number,
  { signal }: SearchOptions,
): Promise<SearchResult[]> {
  const to = `/v1/search?${new URLSearchParams({ q: term, n: String(limit) })}`;
  const answer = await endpoint.send({ method: "GET", to, scopes: [], signal });
  if (answer.status === 200 && parseObject(answer.bytes)?.["results"] !== undefined) return resultsOf(answer);
  const results: SearchResult[] = [];
  for await (const name of listRepositories(endpoint, signal)) {
    if (!name.toLowerCase().includes(term.toLowerCase())) continue;
    results.push({ name, description: "", stars: 0, isOfficial: false, isAutomated: false });
    if (results.length === limit) break;
  }
  return results;
}

/** Both requests answer with `results`, with names of their own for the same things. */
function resultsOf(answer: HttpAnswer): SearchResult[] {
  const results = parseObject(answer.bytes)?.["results"];
  const items = Array.isArray(results) ? results.map(asObject) : [undefined];
  return items.map((item) => {
    const name = asText(item?.["name"]) ?? asText(item?.["repo_name"]);
    if (item === undefined || name === undefined) {
      throw new StrataError("InvalidArgument", `${displayUrl(answer.url)}: expected a list of results`);
    }
    return toResult(name, item);
  });
}

function toResult(name: string, item: JsonObject): SearchResult {
  const stars = item["star_count"];
  return {
    name: name.replace(/^library\//, ""),
    description: asText(item["description"]) ?? asText(item["short_description"]) ?? "",
    stars: typeof stars === "number" ? stars : 0,
    isOfficial: item["is_official"] === true,
    isAutomated: item["is_automated"] === true,
  };
}

function isAnswer(value: unknown): value is HttpAnswer {
  return typeof value === "object" && value !== null && "status" in value && "bytes" in value;
}
