import { readFile } from "node:fs/promises";
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, BlockList, isIPv6 } from "node:net";
import { attempt, StrataError } from "@strata/core";
import type { Store } from "@strata/store";
import { Guard, type GuardOptions } from "./auth/guard.ts";
import { type ObserverOptions, RequestListener } from "./http/request-listener.ts";
import { RegistryServer } from "./registry-server.ts";

export interface ServeOptions extends GuardOptions, ObserverOptions {
  /** The address to listen on; an empty one for all that this machine has. @defaultValue "127.0.0.1" */
  readonly address?: string;
  /** The port to listen on; 0 for any that is free. @defaultValue 5000 */
  readonly port?: number;
  /** Speak TLS, with these files of PEM. @defaultValue plain HTTP */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The largest blob that may be pushed, in bytes. @defaultValue 64 GiB */
  readonly maxBlobBytes?: number;
  /** Uploads that may be under way at once. @defaultValue 1000 */
  readonly maxUploads?: number;
  /** Connections at once; more are refused. @defaultValue 4096 */
  readonly maxConnections?: number;
  /** A connection on which a client lets nothing move for so long is cut. @defaultValue 60 000 */
  readonly idleMs?: number;
  /** The headers of a request must come in so long. @defaultValue 30 000 */
  readonly headersMs?: number;
  /**
   * An upload that nobody goes on with, and a blob that no manifest names, is kept for so long.
   * @defaultValue 3 600 000, an hour
   */
  readonly keepMs?: number;
}

/**
 * Serve a store as a registry until this is closed. What it serves is what the store has at each moment; other processes
 * may use the store meanwhile.
 *
 * WARNING: without `htpasswd`, whoever reaches the port may read, push and delete; without `tls`, passwords and images can be
 * read on the way.
 * @throws StrataError `InvalidArgument`, if the file of users, a certificate or the address is none
 * @throws StrataError `FailedPrecondition`, if the port is taken
 */
export async function serve(store: Store, options: ServeOptions = {}): Promise<RegistryServer> {
  const { address = "127.0.0.1", port = 5000, tls } = options;
  const { idleMs = 60_000, headersMs = 30_000, maxConnections = 4096, keepMs = 3_600_000 } = options;
  const onError = (error: unknown): void => options.onError?.(error);
  const guard = await attempt("serve", () => Guard.open(options, onError));
  const server = await makeServer(tls, { connectionsCheckingInterval: Math.min(headersMs, 30_000) });
  const repositories = await store.repositories();
  const { maxBlobBytes = 64 * 2 ** 30, maxUploads = 1000 } = options;
  const listener = new RequestListener({ repositories, maxBlobBytes, maxUploads }, guard, options);
  server.on("request", (request, response) => void listener.handle(request, response));
  server.headersTimeout = headersMs;
  // A large blob takes as long as it takes, as long as it moves.
  server.requestTimeout = 0;
  server.keepAliveTimeout = idleMs;
  server.setTimeout(idleMs);
  server.maxConnections = maxConnections;
  await listen(server, address, port);
  // A connection could not be taken; the next may be.
  server.on("error", onError);
  const bound = addressOf(server);
  return new RegistryServer(server, repositories, {
    url: urlOf(bound, address, tls !== undefined),
    isLocal: isLoopback(bound),
    keepMs,
  });
}

async function makeServer(tls: ServeOptions["tls"], options: ServerOptions): Promise<Server> {
  if (tls === undefined) return createServer(options);
  const [cert, key] = await attempt("read the certificate", () =>
    Promise.all([readFile(tls.cert), readFile(tls.key)]),
  );
  try {
    return createTlsServer({ ...options, cert, key });
  } catch (cause) {
    throw new StrataError(
      "InvalidArgument",
      `${tls.cert}, ${tls.key}: not a certificate and its key, as PEM: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function listen(server: Server, address: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve();
    });
  }).catch((cause) => {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const isTaken = code === "EADDRINUSE";
    throw new StrataError(
      isTaken ? "FailedPrecondition" : "InvalidArgument",
      `cannot listen on ${address}:${port}: ${isTaken ? "another program does" : messageOf(cause)}; choose another`,
      { cause },
    );
  });
}

/** By the name that was asked for, which a certificate may be for; by the address, if it was none. */
function urlOf(bound: AddressInfo, asked: string, isEncrypted: boolean): string {
  const name = asked === "" ? bound.address : asked;
  const host = isIPv6(name) ? `[${name}]` : name;
  return `${isEncrypted ? "https" : "http"}://${host}:${bound.port}`;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

function isLoopback({ address, family }: AddressInfo): boolean {
  return loopback.check(address, family === "IPv6" ? "ipv6" : "ipv4");
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server does not listen");
  return address;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
