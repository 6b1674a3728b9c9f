import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Scratch } from "@strata/conformance/suite";
import { hash } from "bcryptjs";
import type { CertificateFiles } from "./certificates.ts";
import { FaultyProxy } from "./faulty-proxy.ts";

const startTimeoutMs = 30_000;

export interface DockerRegistryOptions {
  /** Passwords by user; without them anybody may do anything. */
  readonly users?: Readonly<Record<string, string>>;
  /** A token server's URL and service, and the file with the certificates that its tokens are signed by. */
  readonly token?: { readonly realm: string; readonly service: string; readonly rootCertificates: string };
  /** The registry speaks TLS itself, and no proxy stands before it. */
  readonly tls?: CertificateFiles & { readonly clientCa?: string };
  /** It passes on what another registry has. */
  readonly mirrorOf?: string;
}

/** Debian's docker-registry as a child of the test, on free ports, with all it has in a directory of its own. */
export class DockerRegistry implements AsyncDisposable {
  readonly #scratch: Scratch;
  readonly #child: ChildProcess;
  readonly #direct: string;
  readonly #proxy: FaultyProxy | undefined;

  private constructor(scratch: Scratch, child: ChildProcess, direct: string, proxy: FaultyProxy | undefined) {
    this.#scratch = scratch;
    this.#child = child;
    this.#direct = direct;
    this.#proxy = proxy;
  }

  static async start(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
    const scratch = new Scratch();
    let child: ChildProcess | undefined;
    try {
      const path = scratch.join("config.yml");
      writeFileSync(path, JSON.stringify(await configOf(scratch, options)));
      const log = openSync(scratch.join("log"), "w");
      child = spawn("docker-registry", ["serve", path], { stdio: ["ignore", log, log] });
      closeSync(log);
      const address = await listeningAddress(child, scratch.join("log"));
      const direct = `${options.tls ? "https" : "http"}://${address}`;
      const proxy = options.tls ? undefined : await FaultyProxy.start(direct);
      return new DockerRegistry(scratch, child, direct, proxy);
    } catch (error) {
      child?.kill("SIGKILL");
      await scratch[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients find it: through the {@link proxy}, but with TLS. */
  get url(): string {
    return this.#proxy?.url ?? this.#direct;
  }

  /** As a reference names it: `127.0.0.1:41234`. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** Past the proxy. */
  get directHost(): string {
    return new URL(this.#direct).host;
  }

  /** What stands before it, records the requests, and can do harm. */
  get proxy(): FaultyProxy {
    if (this.#proxy === undefined) throw new Error("with TLS there is no proxy");
    return this.#proxy;
  }

  /** Where it keeps what it has: `docker/registry/v2/...` */
  get storage(): string {
    return this.#scratch.join("storage");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy?.[Symbol.asyncDispose]();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    await this.#scratch[Symbol.asyncDispose]();
  }
}

/** JSON is YAML. @see https://distribution.github.io/distribution/about/configuration/ */
async function configOf(
  scratch: Scratch,
  { users, token, tls, mirrorOf }: DockerRegistryOptions,
): Promise<unknown> {
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: scratch.join("storage") },
      delete: { enabled: true },
      redirect: { disable: true },
    },
    http: {
      addr: "127.0.0.1:0",
      secret: "of a test",
      ...(tls && {
        tls: { certificate: tls.cert, key: tls.key, ...(tls.clientCa && { clientcas: [tls.clientCa] }) },
      }),
    },
    ...(users && { auth: { htpasswd: { realm: "a test", path: await htpasswd(scratch, users) } } }),
    ...(token && {
      auth: {
        token: {
          realm: token.realm,
          service: token.service,
          issuer: "a test",
          rootcertbundle: token.rootCertificates,
        },
      },
    }),
    ...(mirrorOf && { proxy: { remoteurl: mirrorOf } }),
  };
}

async function htpasswd(scratch: Scratch, users: Readonly<Record<string, string>>): Promise<string> {
  const path = scratch.join("htpasswd");
  const lines = Object.entries(users).map(async ([user, password]) => `${user}:${await hash(password, 4)}\n`);
  writeFileSync(path, (await Promise.all(lines)).join(""));
  return path;
}

async function listeningAddress(child: ChildProcess, log: string): Promise<string> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const text = readFileSync(log, "utf8");
    const address = /listening on ([\d.]+:\d+)/.exec(text)?.[1];
    if (address !== undefined) return address;
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`docker-registry does not start: ${text}`);
    await setTimeout(20);
  }
}
