import { StrataError } from "@strata/core";
import { displayUrl, type HttpAnswer } from "../http/message.ts";
import type { Endpoint } from "./endpoint.ts";

/** More pages than any list has; a server that always names another one must not keep us for ever. */
const maxPages = 100_000;

/**
 * The pages of a list, each as an answer of the server.
 * @param first - path and query of the first page
 * @param fetch - sends one request, and throws for an answer that is no page
 * @see distribution-spec, "Listing Tags": the `Link` header, RFC 8288
 */
export async function* pages(
  endpoint: Endpoint,
  first: string,
  fetch: (to: URL) => Promise<HttpAnswer>,
): AsyncGenerator<HttpAnswer> {
  const seen = new Set<string>();
  let next: URL | undefined = new URL(first, endpoint.origin);
  while (next !== undefined) {
    if (seen.has(next.href) || seen.size >= maxPages) {
      const message = `${displayUrl(next)}: the list has no end: its pages lead back to each other`;
      throw new StrataError("FailedPrecondition", message);
    }
    seen.add(next.href);
    const answer = await fetch(next);
    yield answer;
    next = nextOf(answer, endpoint);
  }
}

function nextOf(answer: HttpAnswer, endpoint: Endpoint): URL | undefined {
  const headers = [answer.headers["link"] ?? []].flat();
  for (const [, target = "", parameters = ""] of headers.join(", ").matchAll(/<([^>]*)>((?:\s*;[^,<]*)*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?/i.test(parameters)) continue;
    if (!URL.canParse(target, answer.url.href)) break;
    return endpoint.checked(new URL(target, answer.url));
  }
  return undefined;
}
