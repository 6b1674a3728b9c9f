import type { Readable } from "node:stream";
import type { ResponseBody } from "./undici.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Authorization` header; it goes to the origin of {@link url}, and nowhere that leads to. */
  readonly authorization?: string | undefined;
  /** Bytes can be sent again, a stream cannot. */
  readonly body?: Uint8Array | Readable | undefined;
  /** The body proves who asks: it goes to no other origin than that of {@link url}. @defaultValue false */
  readonly isSecret?: boolean;
  /** The content of a good answer is left to be read, however large. @defaultValue false */
  readonly stream?: boolean;
  /** It must not be repeated once the server may have begun with it: only after 429. @defaultValue false */
  readonly once?: boolean;
  /** Of a HEAD: likely to be all that the process asks, so that it is not worth while to prepare for more. @defaultValue false */
  readonly alone?: boolean;
  /** How often it is tried. @defaultValue that of the client */
  readonly attempts?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a server said, after redirects. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Who said it: the last of the redirects. */
  readonly url: URL;
  /** The content; empty if it is a {@link stream}. */
  readonly bytes: Buffer;
  /** Of a good answer to a request for a stream; it must be read or destroyed. */
  readonly stream: ResponseBody | undefined;
}

/** One value of a header, the first if there are several. */
export function headerOf({ headers }: Pick<HttpAnswer, "headers">, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** A URL for people: a query can hold a signature that lets its holder in. */
export function displayUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
