import type { IncomingMessage, ServerResponse } from "node:http";
import { isStrataError } from "@strata/core";
import type { ApiContext } from "../api/context.ts";
import { routeOf } from "../api/routes.ts";
import type { Guard } from "../auth/guard.ts";
import { Exchange } from "./exchange.ts";
import { RegistryError } from "./registry-error.ts";

/** What became of a request. */
export interface RequestRecord {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  /** 0, if the connection was gone before the answer. */
  readonly status: number;
  readonly remoteAddress: string;
  readonly user?: string;
  /** Of the request's body that were taken. */
  readonly receivedBytes: number;
  /** Of the answer's body that went to the connection. */
  readonly sentBytes: number;
  readonly durationMs: number;
}

export interface ObserverOptions {
  /** Told of each request when it is over. */
  readonly onRequest?: (record: RequestRecord) => void;
  /**
   * Told of what went wrong on this side: a damaged blob, a full disk. Clients hear no more than that.
   * @param request - undefined, if it was not for one: a file of users that cannot be read any more
   */
  readonly onError?: (error: unknown, request?: Pick<RequestRecord, "method" | "url">) => void;
}

/** Leads each request to who answers it, and sees to it that each is answered. */
export class RequestListener {
  readonly #context: ApiContext;
  readonly #guard: Guard;
  readonly #observers: ObserverOptions;

  constructor(context: ApiContext, guard: Guard, observers: ObserverOptions) {
    this.#context = context;
    this.#guard = guard;
    this.#observers = observers;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = new Exchange(request, response);
    this.#observe(exchange);
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    response.setHeader("x-content-type-options", "nosniff");
    try {
      if (await this.#guard.answerToken(exchange)) return;
      const route = routeOf(exchange.method, exchange.path);
      await this.#guard.admit(exchange, route);
      await route.handler(this.#context, exchange, route.target);
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { request, response } = exchange;
    if (response.headersSent || request.socket.destroyed) {
      // What the client has is cut off, so that it cannot take it for the whole.
      response.destroy();
      if (!isOfConnection(error) && !request.socket.destroyed) this.#report(exchange, error);
      return;
    }
    if (error instanceof RegistryError) {
      exchange.fail(error);
      return;
    }
    this.#report(exchange, error);
    exchange.fail(
      isStrataError(error, "NoSpace")
        ? new RegistryError(507, "UNKNOWN", "the registry's disk is full")
        : new RegistryError(500, "UNKNOWN", "the registry has a problem; its log says more"),
    );
  }

  #report({ method, request }: Exchange, error: unknown): void {
    this.#observers.onError?.(error, { method, url: request.url ?? "" });
  }

  #observe(exchange: Exchange): void {
    const { onRequest } = this.#observers;
    if (onRequest === undefined) return;
    const { request, response, method } = exchange;
    const began = performance.now();
    const remoteAddress = request.socket.remoteAddress ?? "";
    response.once("close", () => {
      onRequest({
        method,
        url: request.url ?? "",
        status: response.headersSent ? response.statusCode : 0,
        remoteAddress,
        ...(exchange.user !== undefined && { user: exchange.user }),
        receivedBytes: exchange.receivedBytes,
        sentBytes: exchange.sentBytes,
        durationMs: performance.now() - began,
      });
    });
  }
}

/** The client went away. */
function isOfConnection(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"].includes(String(code));
}
