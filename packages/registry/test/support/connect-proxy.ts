import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A forward proxy that tunnels wherever it is asked to, but always arrives at one server of this machine. */
export class ConnectProxy implements AsyncDisposable {
  /** What was asked for: `registry.test:443`. */
  readonly targets: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param login - `user:password` that it wants to see */
  private constructor(destination: string, login: string | undefined) {
    this.#server = createServer((_, response) => response.writeHead(405).end());
    this.#server.on("connect", (request, client: Socket) => {
      this.#sockets.add(client);
      if (login && request.headers["proxy-authorization"] !== `Basic ${btoa(login)}`) {
        client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        return;
      }
      this.targets.push(request.url ?? "");
      const { hostname, port } = new URL(destination);
      const server = connect(Number(port), hostname, () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        server.pipe(client).pipe(server);
      });
      this.#sockets.add(server);
      for (const socket of [client, server]) socket.on("error", () => socket.destroy());
    });
  }

  static async start(destination: string, login?: string): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(destination, login);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is not started");
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
