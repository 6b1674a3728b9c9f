import { StrataError } from "@strata/core";
import { catalogScope } from "../auth/scopes.ts";
import { displayUrl, type HttpAnswer } from "../http/message.ts";
import { asText, parseObject } from "../json.ts";
import type { Endpoint } from "./endpoint.ts";
import { pages } from "./paging.ts";
import type { RepositoryAt } from "./repository.ts";

/** How many names a page is to have; registries send fewer if they like. */
const pageSize = 1000;

export async function* listTags(repository: RepositoryAt, signal?: AbortSignal): AsyncGenerator<string> {
  const first = repository.path(`tags/list?n=${pageSize}`);
  const fetch = async (to: URL) => {
    const answer = await repository.send("pull", { method: "GET", to, signal });
    if (answer.status === 200) return answer;
    const missing = answer.status === 404 ? "repository" : "tags of";
    throw await repository.refusal(
      "pull",
      answer,
      `${missing} ${repository.familiarName}${answer.status === 404 ? " not found" : ""}`,
    );
  };
  for await (const page of pages(repository.endpoint, first, fetch)) yield* namesOf(page, "tags");
}

export async function* listRepositories(endpoint: Endpoint, signal?: AbortSignal): AsyncGenerator<string> {
  const fetch = async (to: URL) => {
    const answer = await endpoint.send({ method: "GET", to, scopes: [catalogScope], signal });
    if (answer.status === 200) return answer;
    const what = `catalog of ${endpoint.host}`;
    throw await endpoint.refusal(answer, what, `${what}: access denied`);
  };
  for await (const page of pages(endpoint, `/v2/_catalog?n=${pageSize}`, fetch))
    yield* namesOf(page, "repositories");
}

/** The list in a page; Go writes `null` for an empty one. */
function namesOf(page: HttpAnswer, field: string): string[] {
  const list = parseObject(page.bytes)?.[field];
  if (list === null) return [];
  const names = Array.isArray(list) ? list.map(asText) : [undefined];
  const texts = names.filter((name) => name !== undefined);
  if (texts.length === names.length) return texts;
  throw new StrataError("InvalidArgument", `${displayUrl(page.url)}: ${field}: expected a list of names`);
}
