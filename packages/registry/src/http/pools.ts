import { readFile } from "node:fs/promises";
import type { SecureContext } from "node:tls";
import { attempt, StrataError } from "@strata/core";
import type { RegistriesConfig } from "../config/registries-config.ts";
import type { Environment } from "../environment.ts";
import { proxyFor, tunnelTo } from "./proxy.ts";
import type { Connector, Pool, RequestOptions, ResponseData } from "./undici.ts";

export interface ConnectionOptions {
  /** How many connections one host gets at most; further requests wait for a free one. @defaultValue 8 */
  readonly connectionsPerHost?: number;
  /** How long a connection may take to be made. @defaultValue 15_000 */
  readonly connectTimeoutMs?: number;
  /** How long the beginning of an answer may take. @defaultValue 60_000; for uploads five times as long */
  readonly answerTimeoutMs?: number;
  /** How long an answer may pause in the middle, while somebody waits for more. @defaultValue 60_000 */
  readonly idleTimeoutMs?: number;
}

export const connectionDefaults: Required<ConnectionOptions> = {
  connectionsPerHost: 8,
  connectTimeoutMs: 15_000,
  answerTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
};

/**
 * The connections to each host: kept for the next request, limited in number, trusted as `registries.json` says, through
 * the proxies that the environment names.
 */
export class Pools {
  readonly #config: RegistriesConfig;
  readonly #env: Environment;
  readonly #options: Required<ConnectionOptions>;
  readonly #pools = new Map<string, Promise<Pool>>();
  readonly #closed: AbortSignal;
  readonly #alerts = new Map<string, Error>();
  /** For hosts of which nothing special is said. */
  #ordinary: Promise<SecureContext> | undefined;

  /** @param closed - aborted before {@link close}: no connection is made any more */
  constructor(
    config: RegistriesConfig,
    env: Environment,
    options: Required<ConnectionOptions>,
    closed: AbortSignal,
  ) {
    this.#closed = closed;
    this.#config = config;
    this.#env = env;
    this.#options = options;
  }

  /**
   * One request on a host's next free connection.
   * @throws StrataError `NotFound`, `InvalidArgument` if a file of certificates is not there or not what it must be; the
   *   system error, or undici's
   */
  async request(origin: URL, options: RequestOptions): Promise<ResponseData> {
    const { requestOn } = await import("./undici.ts");
    this.#closed.throwIfAborted();
    return await requestOn(await this.#get(origin), options);
  }

  #get(origin: URL): Promise<Pool> {
    const present = this.#pools.get(origin.origin);
    if (present !== undefined) return present;
    const pool = this.#make(origin);
    this.#pools.set(origin.origin, pool);
    return pool;
  }

  async #make(origin: URL): Promise<Pool> {
    const { connectionsPerHost, connectTimeoutMs, answerTimeoutMs, idleTimeoutMs } = this.#options;
    const { buildConnector, Pool } = await import("./undici.ts");
    const secureContext = origin.protocol === "https:" ? await this.#secureContext(origin) : undefined;
    return new Pool(origin.origin, {
      connections: connectionsPerHost,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      connect: this.#connector(
        origin,
        buildConnector({ timeout: connectTimeoutMs, ...(secureContext && { secureContext }) }),
      ),
    });
  }

  /**
   * The TLS alert by which a host ended a connection since this was asked last. With TLS 1.3 a server refuses a client's
   * certificate only after the handshake, and undici then tells no more than that the other side closed.
   */
  takeAlert(origin: URL): Error | undefined {
    const alert = this.#alerts.get(origin.origin);
    this.#alerts.delete(origin.origin);
    return alert;
  }

  #connector(origin: URL, connect: Connector): Connector {
    const watched: Connector = (target, callback) =>
      connect(target, (...result) => {
        result[1]?.once("error", (error: Error) => {
          if (/alert/i.test(error.message)) this.#alerts.set(origin.origin, error);
        });
        callback(...result);
      });
    const proxy = proxyFor(origin, this.#env);
    if (proxy === undefined) return watched;
    const isSecure = origin.protocol === "https:";
    return (target, callback) => {
      tunnelTo(origin, proxy, this.#options.connectTimeoutMs, this.#closed).then(
        (httpSocket) =>
          isSecure ? watched({ ...target, httpSocket }, callback) : callback(null, httpSocket),
        (error) => callback(error, null),
      );
    };
  }

  async #secureContext(origin: URL): Promise<SecureContext> {
    const [{ createSecureContext }, { systemAuthorities }] = await Promise.all([
      import("node:tls"),
      import("./authorities.ts"),
    ]);
    const { ca, cert, key } = this.#config.at(origin);
    if (ca === undefined && cert === undefined) {
      this.#ordinary ??= systemAuthorities(this.#env).then((trusted) => createSecureContext({ ca: trusted }));
      return await this.#ordinary;
    }
    const read = (path: string | undefined, what: string) =>
      path === undefined
        ? undefined
        : attempt(`${this.#config.path}: ${what} of ${origin.host}`, () => readFile(path));
    const [trusted, caPem, certPem, keyPem] = await Promise.all([
      systemAuthorities(this.#env),
      read(ca, "ca"),
      read(cert, "cert"),
      read(key, "key"),
    ]);
    try {
      return createSecureContext({
        ca: caPem ? [...trusted, caPem] : trusted,
        ...(certPem && { cert: certPem }),
        ...(keyPem && { key: keyPem }),
      });
    } catch (cause) {
      const files = [ca, cert, key].filter((path) => path !== undefined).join(", ");
      const message = `${this.#config.path}: ${origin.host}: ${files}: expected PEM: ${String(cause)}`;
      throw new StrataError("InvalidArgument", message, { cause });
    }
  }

  /** End all connections, whatever is under way on them. Twice is fine. */
  async close(): Promise<void> {
    const pools = await Promise.allSettled(this.#pools.values());
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.status === "fulfilled" && pool.value.destroy()));
  }
}
