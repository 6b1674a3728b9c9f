import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { Repositories } from "@strata/store";

export interface CloseOptions {
  /** How long requests that are under way may take to end, before they are cut off. @defaultValue 10 000 */
  readonly graceMs?: number;
}

/** A registry that is being served. */
export class RegistryServer implements AsyncDisposable {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** Whether only programs of this machine can reach it. */
  readonly isLocal: boolean;
  readonly #server: Server;
  readonly #repositories: Repositories;
  readonly #sweeper: NodeJS.Timeout;
  readonly #connections = new Set<Socket>();
  /** Connections on which nothing was asked yet. */
  readonly #unused = new Set<Socket>();
  readonly #underWay = new Set<ServerResponse>();
  #closed: Promise<void> | undefined;

  constructor(
    server: Server,
    repositories: Repositories,
    { url, isLocal, keepMs }: { readonly url: string; readonly isLocal: boolean; readonly keepMs: number },
  ) {
    this.url = url;
    this.isLocal = isLocal;
    this.#server = server;
    this.#repositories = repositories;
    server.on("connection", (socket: Socket) => keepUntilClose(this.#connections, socket));
    // Of TLS it is another object than the connection below it.
    const usable = server instanceof TlsServer ? "secureConnection" : "connection";
    server.on(usable, (socket: Socket) => keepUntilClose(this.#unused, socket));
    server.on("request", (request, response) => {
      this.#unused.delete(request.socket);
      keepUntilClose(this.#underWay, response);
      if (this.#closed !== undefined) endConnectionWith(response);
    });
    this.#sweeper = setInterval(
      () => {
        repositories.expire(keepMs).catch(() => {
          // What cannot be removed now is tried again, and is garbage in the end.
        });
      },
      Math.min(keepMs, 60_000),
    ).unref();
  }

  /** Where clients find it: `127.0.0.1:5000`. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** Take no more requests, let those under way end, and forget what was pushed and no manifest names. Twice is fine. */
  async close({ graceMs = 10_000 }: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    clearInterval(this.#sweeper);
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const response of this.#underWay) endConnectionWith(response);
    for (const socket of this.#unused) socket.destroy();
    const timer = setTimeout(() => {
      // Those that are still at the beginning of TLS, too, of which Node's closeAllConnections does not know.
      for (const socket of this.#connections) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    await this.#repositories.close();
  }
}

function keepUntilClose<T extends Socket | ServerResponse>(open: Set<T>, one: T): void {
  open.add(one);
  one.once("close", () => open.delete(one));
}

/** Node ends only connections that are idle at the moment; one that is busy would be kept alive. */
function endConnectionWith(response: ServerResponse): void {
  const { socket } = response.req;
  if (response.headersSent) response.once("finish", () => socket.destroySoon());
  else response.shouldKeepAlive = false;
}
