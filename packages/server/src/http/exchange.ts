import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { ByteRange } from "./byte-range.ts";
import { RegistryError } from "./registry-error.ts";

/** Bytes of a file that wait in memory for one connection. */
const chunkBytes = 128 * 1024;
/** How long a client may go on sending what is not wanted, before the connection is cut. */
const lingerMs = 2000;

/** A request, and the ways to answer it. An answer to HEAD has no body, but the length it would have. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Who asks, once that is known. */
  user: string | undefined;
  /** Of the request's body, so far. */
  receivedBytes = 0;
  #sentBytes = 0;
  #sentFile: { readonly bytesRead: number } | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    const target = request.url ?? "/";
    const mark = target.indexOf("?");
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
  }

  /** Of the answer's body, so far. */
  get sentBytes(): number {
    return this.#sentFile?.bytesRead ?? this.#sentBytes;
  }

  get method(): string {
    return this.request.method ?? "GET";
  }

  /** How long the request's body is; undefined, if it does not say. */
  get bodyBytes(): number | undefined {
    const length = this.request.headers["content-length"];
    if (length !== undefined) return Number(length);
    return this.request.headers["transfer-encoding"] === undefined ? 0 : undefined;
  }

  /** An answer without a body. */
  empty(status: number, headers: OutgoingHttpHeaders = {}): void {
    this.response.writeHead(status, { ...(status !== 204 && { "content-length": 0 }), ...headers }).end();
  }

  bytes(status: number, body: Uint8Array, headers: OutgoingHttpHeaders): void {
    this.response.writeHead(status, { "content-length": body.length, ...headers }).end(body);
    if (this.method !== "HEAD") this.#sentBytes = body.length;
  }

  json(status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
    const bytes = Buffer.from(JSON.stringify(body));
    this.bytes(status, bytes, { "content-type": "application/json", ...headers });
  }

  /** Do what may take long, such as a sync(2) of a large file, while nothing moves and nobody can help it. */
  async patiently<T>(work: () => Promise<T>): Promise<T> {
    const { socket } = this.request;
    const idleMs = socket.timeout ?? 0;
    socket.setTimeout(0);
    try {
      return await work();
    } finally {
      socket.setTimeout(idleMs);
    }
  }

  fail(error: RegistryError): void {
    // A client that goes on sending what is too much is cut off, but can hear why first.
    if (error.status === 413) {
      this.response.shouldKeepAlive = false;
      const timer = setTimeout(() => this.request.destroy(), lingerMs);
      this.request.once("close", () => clearTimeout(timer));
    }
    this.json(error.status, error, error.headers);
  }

  /**
   * Stream a file, or a part of it, and close it. Nothing waits in memory for a slow client but a few chunks.
   * @param status - of the answer
   * @throws the stream's error; the connection is gone then
   */
  async file(
    status: number,
    file: FileHandle,
    { start, end }: ByteRange,
    headers: OutgoingHttpHeaders,
  ): Promise<void> {
    try {
      this.response.writeHead(status, { "content-length": end - start + 1, ...headers });
      if (this.method === "HEAD" || end < start) {
        this.response.end();
        return;
      }
      const stream = file.createReadStream({ start, end, highWaterMark: chunkBytes, autoClose: false });
      this.#sentFile = stream;
      await pipeline(stream, this.response);
    } finally {
      await file.close();
    }
  }

  /**
   * The request's body, which must be small.
   * @throws RegistryError 413
   */
  async body(maxBytes: number): Promise<Buffer> {
    const tooLarge = () =>
      new RegistryError(413, "SIZE_INVALID", `the body may have ${maxBytes} bytes at most`);
    if ((this.bodyBytes ?? 0) > maxBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.request.iterator({ destroyOnReturn: false })) {
      length += chunk.length;
      this.receivedBytes += chunk.length;
      if (length > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}
