import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** PEM, as node:tls takes it. */
export interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Clients must show a certificate of this authority. */
  readonly clientCa?: Buffer;
}

/** A request as a server saw it. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** How many have been seen with the same method and URL, this one included. */
  readonly count: number;
}

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  recorded: RecordedRequest,
) => void | Promise<void>;

/** A server of a test's own on a free port of this machine, which remembers what it was asked. */
export class WebServer implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  /** Connections that were ever made, and the most at one time. */
  readonly connections = { made: 0, most: 0 };
  readonly #server: Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();

  private constructor(handler: Handler, identity: Identity | undefined) {
    const listener: RequestListener = (request, response) => {
      const { method = "", url = "", headers } = request;
      const earlier = this.requests.filter((other) => other.method === method && other.url === url);
      const recorded = { method, url, headers, count: earlier.length + 1 };
      this.requests.push(recorded);
      void (async () => handler(request, response, recorded))().catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    };
    this.#scheme = identity ? "https" : "http";
    const { clientCa, ...own } = identity ?? {};
    const client = clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: true };
    this.#server = identity ? createTlsServer({ ...own, ...client }, listener) : createServer(listener);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      this.connections.made += 1;
      this.connections.most = Math.max(this.connections.most, this.#sockets.size);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(handler: Handler, identity?: Identity): Promise<WebServer> {
    const server = new WebServer(handler, identity);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get port(): number {
    return addressOf(this.#server).port;
  }

  /** As a reference names it: `127.0.0.1:41234`. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The same by an address that is not called this machine's, though Linux leads it here: as a host elsewhere. */
  get foreignHost(): string {
    return `0.0.0.0:${this.port}`;
  }

  get url(): string {
    return `${this.#scheme}://${this.host}`;
  }

  /** What was asked, on a line each: `GET /v2/`. */
  get log(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${url}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address;
}

/** All of a request's content. */
export async function contentOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function answerJson(
  response: ServerResponse,
  status: number,
  document: unknown,
  headers: Readonly<Record<string, string | string[]>> = {},
): void {
  response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(JSON.stringify(document));
}
