import { setMaxListeners } from "node:events";
import { Readable } from "node:stream";
import { isStrataError, StrataError } from "@strata/core";
import type { RegistriesConfig } from "../config/registries-config.ts";
import type { Environment } from "../environment.ts";
import { readBounded } from "./body.ts";
import { connectionError } from "./connection-error.ts";
import { firstHead, type HeadAnswer } from "./first-head.ts";
import { displayUrl, type HttpAnswer, type HttpRequest, headerOf, isSuccess } from "./message.ts";
import { type ConnectionOptions, connectionDefaults, Pools } from "./pools.ts";
import { proxyFor } from "./proxy.ts";
import { delayMs, isTransientStatus, type RetryOptions, retryAfterMs, retryDefaults, wait } from "./retry.ts";
import { assertMayLead, assertSchemeAllowed } from "./scheme.ts";
import type { ResponseBody, ResponseData } from "./undici.ts";

const maxRedirects = 10;
const uploadPatience = 5;

export type HttpOptions = ConnectionOptions & RetryOptions;

type Abortable = HttpRequest & { readonly signal: AbortSignal };

/** Requests that reach an answer if there is one: over kept connections, along redirects, again after what passes. */
export class HttpClient {
  readonly config: RegistriesConfig;
  readonly retry: Required<RetryOptions>;
  readonly #pools: Pools;
  readonly #connection: Required<ConnectionOptions>;
  readonly #env: Environment;
  /** The origins that have been asked something. */
  readonly #asked = new Set<string>();
  readonly #closing = new AbortController();

  constructor(config: RegistriesConfig, env: Environment, options: HttpOptions = {}) {
    this.config = config;
    this.#env = env;
    this.#connection = { ...connectionDefaults, ...options };
    this.retry = { ...retryDefaults, ...options };
    this.#pools = new Pools(config, env, this.#connection, this.closed);
    // Each connection that is being made listens.
    setMaxListeners(0, this.closed);
  }

  /** Aborted by {@link close}: for what is done besides requests, e.g. to find a credential. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Send a request, and again while the answer is 429 or one of the server's own trouble, or the connection fails, if
   * it may be sent again: a stream never may. What the server says in the end is returned,
   * whatever it is.
   * @throws StrataError `Aborted` if there is no answer, `FailedPrecondition` if there never will be one, e.g. for an
   *   untrusted certificate, or after {@link close}; `InvalidArgument` for an answer of more than 4 MiB that is no stream
   */
  async send(wanted: HttpRequest): Promise<HttpAnswer> {
    const signal = wanted.signal ? AbortSignal.any([wanted.signal, this.closed]) : this.closed;
    const request = { ...wanted, signal };
    const attempts = request.attempts ?? this.retry.attempts;
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= attempts || request.body instanceof Readable;
      let delay: number | undefined;
      try {
        const answer = await this.#follow(request);
        const again = isTransientStatus(answer.status) && (request.once !== true || answer.status === 429);
        delay = delayMs(attempt, retryAfterMs(answer), this.retry);
        if (last || !again || delay === undefined) return answer;
      } catch (error) {
        if (last || request.once === true || !isStrataError(error, "Aborted")) throw error;
        delay = delayMs(attempt, undefined, this.retry);
      }
      await wait(delay ?? 0, request.signal);
    }
  }

  /** By hand, so that nothing meant for one host is shown to another (CVE-2020-15157). */
  async #follow(request: Abortable): Promise<HttpAnswer> {
    let { url, authorization } = request;
    try {
      for (let redirects = 0; redirects <= maxRedirects; redirects++) {
        const answer = await this.#exchange({ ...request, url, authorization });
        const next = redirectOf(answer, request);
        if (next === undefined) return answer;
        const from = url;
        url = next;
        assertMayLead(from, next, this.config);
        if (request.isSecret === true && next.origin !== from.origin) {
          throw new StrataError(
            "FailedPrecondition",
            `${displayUrl(from)} leads to ${next.origin}, which gets no credentials`,
          );
        }
        // A host that has been left is not trusted with it again either: who led there may be any.
        if (next.origin !== from.origin) authorization = undefined;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      throw url === request.url ? error : ledTo(error, request.url);
    }
    throw new StrataError(
      "FailedPrecondition",
      `${displayUrl(request.url)}: more than ${maxRedirects} redirects`,
    );
  }

  async #exchange(request: Abortable): Promise<HttpAnswer> {
    const { url, signal } = request;
    signal.throwIfAborted();
    assertSchemeAllowed(url, this.config);
    try {
      const answer = await this.#ask(request);
      const { statusCode: status, headers } = answer;
      const body = "body" in answer ? answer.body : undefined;
      if (request.stream === true && isSuccess(status))
        return { status, headers, url, bytes: Buffer.alloc(0), stream: body };
      const bytes = await this.#readDocument(body, status, request);
      return { status, headers, url, bytes, stream: undefined };
    } catch (error) {
      throw connectionError(this.#pools.takeAlert(url) ?? error, url, this.config.path, signal);
    }
  }

  async #ask({
    method,
    url,
    headers,
    authorization,
    body,
    alone,
    signal,
  }: Abortable): Promise<HeadAnswer | ResponseData> {
    const allHeaders = { "user-agent": "strata", ...headers, ...(authorization && { authorization }) };
    const isFirst = !this.#asked.has(url.origin);
    this.#asked.add(url.origin);
    if (isFirst && alone === true && url.protocol === "http:" && proxyFor(url, this.#env) === undefined)
      return await firstHead(url, allHeaders, this.#connection, signal);
    return await this.#pools.request(url, {
      method,
      path: url.pathname + url.search,
      // undici would end the connection after each HEAD.
      reset: false,
      headers: allHeaders,
      ...(body !== undefined && {
        body,
        headersTimeout: this.#connection.answerTimeoutMs * uploadPatience,
      }),
      signal,
    });
  }

  async #readDocument(
    body: ResponseBody | undefined,
    status: number,
    { url, signal }: Abortable,
  ): Promise<Buffer> {
    try {
      return body ? await readBounded(body, displayUrl(url)) : Buffer.alloc(0);
    } catch (error) {
      // docker-registry promises more content with a 416 than it sends; the refusal counts all the same.
      if (status < 400 || signal.aborted) throw error;
      return Buffer.alloc(0);
    }
  }

  /** End all connections and requests; there will be no others. Twice is fine. */
  close(): Promise<void> {
    this.#closing.abort(new StrataError("FailedPrecondition", "the registries have been closed"));
    return this.#pools.close();
  }
}

/** Where an answer leads, if it leads somewhere and the request can go there as it is. */
function redirectOf(answer: HttpAnswer, { method, body }: HttpRequest): URL | undefined {
  const keepsMethod = answer.status === 307 || answer.status === 308;
  const mayChange = [301, 302, 303].includes(answer.status) && (method === "GET" || method === "HEAD");
  if (body instanceof Readable || !(keepsMethod || mayChange)) return undefined;
  const location = headerOf(answer, "location");
  if (location === undefined || !URL.canParse(location, answer.url.href)) {
    throw new StrataError("FailedPrecondition", `${displayUrl(answer.url)}: redirects to nowhere`);
  }
  const next = new URL(location, answer.url);
  next.username = "";
  next.password = "";
  return next;
}

/** Whoever reads of a host that nobody asked shall learn who led there. */
function ledTo(error: unknown, from: URL): unknown {
  if (!isStrataError(error) || error.message.startsWith(from.origin)) return error;
  return new StrataError(error.code, `${displayUrl(from)} leads to ${error.message}`, { cause: error.cause });
}
