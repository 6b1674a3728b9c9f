import type { Reference } from "@strata/store";
import { abortable } from "./abortable.ts";
import { Endpoint } from "./api/endpoint.ts";
import { faultOf } from "./api/fault.ts";
import { RegistryClient } from "./api/registry-client.ts";
import { RegistryHost } from "./api/registry-host.ts";
import { RepositoryAt } from "./api/repository.ts";
import { RegistriesConfig } from "./config/registries-config.ts";
import { Credentials } from "./credentials/credentials.ts";
import type { Environment } from "./environment.ts";
import { hubEndpoint, registryHost } from "./hosts.ts";
import { HttpClient, type HttpOptions } from "./http/http-client.ts";
import { originOf } from "./http/scheme.ts";

/** A mirror that fails has the registry behind it, so that it is not waited for. */
const mirrorAttempts = 2;

export interface RegistriesOptions extends HttpOptions {
  /** Names the files of registries and credentials, and is what helpers run with. @defaultValue that of the process */
  readonly env?: Environment;
  /**
   * Told, in a sentence, what was got round: a mirror that was passed over, a credential helper that fails. Each only
   * once. It must not throw.
   */
  readonly onNotice?: (message: string) => void;
}

export interface OpenRepositoryOptions {
  /**
   * What is going to be done: `push` asks for the rights to do both at once, and reads from the registry itself, since
   * what a mirror has need not be there.
   * @defaultValue "pull"
   */
  readonly access?: "pull" | "push";
}

/**
 * All registries, with what the user says of them and has credentials for. One serves a whole program: it keeps
 * connections, tokens, and what it has learnt of each host.
 *
 * ```ts
 * await using registries = await Registries.open();
 * const { bytes } = await registries.repository(parseReference("debian:12")).getManifest("12");
 * ```
 */
export class Registries implements AsyncDisposable {
  readonly config: RegistriesConfig;
  /** Where logins are kept. */
  readonly credentials: Credentials;
  readonly #env: Environment;
  readonly #http: HttpClient;
  readonly #onNotice: ((message: string) => void) | undefined;
  readonly #noticed = new Set<string>();
  readonly #registries = new Map<string, Promise<Endpoint>>();
  readonly #mirrors = new Map<string, Endpoint>();
  /** Mirrors that did not answer are not asked again. */
  readonly #silent = new Set<Endpoint>();

  private constructor(config: RegistriesConfig, options: RegistriesOptions) {
    this.config = config;
    this.credentials = new Credentials(options.env);
    this.#env = options.env ?? process.env;
    this.#http = new HttpClient(config, this.#env, options);
    this.#onNotice = options.onNotice;
  }

  /**
   * Read what the user says of registries; nothing is connected to yet.
   * @throws StrataError as `RegistriesConfig.read`
   */
  static async open(options: RegistriesOptions = {}): Promise<Registries> {
    return new Registries(await RegistriesConfig.read(options.env), options);
  }

  /** The repository that a reference names; its tag and digest do not matter. */
  repository(
    reference: Pick<Reference, "registry" | "repository" | "familiarName">,
    { access = "pull" }: OpenRepositoryOptions = {},
  ): RegistryClient {
    const { repository, familiarName } = reference;
    const at = (endpoint: Endpoint, attempts?: number) =>
      new RepositoryAt({ endpoint, repository, familiarName, access, ...(attempts && { attempts }) });
    const mirrors =
      access === "push"
        ? []
        : this.#mirrorsOf(reference.registry).map((mirror) => at(mirror, mirrorAttempts));
    return new RegistryClient({
      mirrors: () => mirrors.filter(({ endpoint }) => !this.#silent.has(endpoint)),
      registry: async (signal) => at(await this.#registry(reference.registry, signal)),
      passOver: (mirror, why) => this.#passOver(mirror, why),
      retry: this.#http.retry,
    });
  }

  /** A registry as a whole, as references name it (`docker.io`, `localhost:5000`) or as people write it. */
  host(registry: string): RegistryHost {
    return new RegistryHost((signal) => this.#registry(registry, signal));
  }

  #registry(name: string, signal: AbortSignal | undefined): Promise<Endpoint> {
    const host = registryHost(name);
    const present = this.#registries.get(host);
    if (present !== undefined) return abortable(present, signal);
    const made = this.#makeRegistry(host);
    this.#registries.set(host, made);
    made.catch(() => this.#registries.delete(host));
    return abortable(made, signal);
  }

  async #makeRegistry(host: string): Promise<Endpoint> {
    const isHub = host === registryHost(hubEndpoint);
    const origin = await originOf(isHub ? hubEndpoint : host, this.config, this.#env, this.#http.closed);
    return this.#endpoint(host, origin);
  }

  #mirrorsOf(registry: string): Endpoint[] {
    return this.config.of(registry).mirrors.map(({ origin, prefix }) => {
      const key = `${origin.origin}/${prefix}`;
      const mirror = this.#mirrors.get(key) ?? this.#endpoint(registryHost(origin.host), origin, prefix);
      this.#mirrors.set(key, mirror);
      return mirror;
    });
  }

  #endpoint(host: string, origin: URL, prefix = ""): Endpoint {
    const onNotice = (message: string) => this.notice(message);
    return new Endpoint({
      host,
      origin,
      prefix,
      http: this.#http,
      // By the host that is asked: what is meant for a registry never goes to its mirrors.
      findCredential: (repository) =>
        this.credentials.find(host, repository, { onNotice, signal: this.#http.closed }),
      onNotice,
    });
  }

  #passOver({ endpoint, familiarName }: RepositoryAt, why: unknown): void {
    if (why !== undefined && faultOf(why) === undefined) this.#silent.add(endpoint);
    const reason = why instanceof Error ? why.message : `it does not have all of ${familiarName}`;
    this.notice(`mirror ${endpoint.origin.origin} is passed over: ${reason}`);
  }

  /** Tell of something that was got round, as {@link RegistriesOptions.onNotice} says. */
  notice(message: string): void {
    if (this.#noticed.has(message)) return;
    this.#noticed.add(message);
    this.#onNotice?.(message);
  }

  /** End all connections, whatever is under way on them, and helpers that run; what is asked later fails. Twice is fine. */
  close(): Promise<void> {
    return this.#http.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
