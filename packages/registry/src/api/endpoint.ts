import { StrataError } from "@strata/core";
import type { Authorizer } from "../auth/authorizer.ts";
import type { Challenge } from "../auth/challenge.ts";
import type { Scope } from "../auth/scopes.ts";
import type { Credential } from "../credentials/credential.ts";
import type { HttpClient } from "../http/http-client.ts";
import { type HttpAnswer, type HttpRequest, headerOf } from "../http/message.ts";
import { assertMayLead } from "../http/scheme.ts";
import { faultError } from "./fault.ts";

export interface EndpointOptions {
  /** As references and `registries.json` name it: `docker.io`, `localhost:5000`. */
  readonly host: string;
  readonly origin: URL;
  /** Of a mirror: what goes before the names of repositories. */
  readonly prefix?: string;
  readonly http: HttpClient;
  readonly findCredential: (repository?: string) => Promise<Credential | undefined>;
  readonly onNotice?: ((message: string) => void) | undefined;
}

export interface EndpointRequest extends Omit<HttpRequest, "url" | "authorization"> {
  /** Below the origin, with a query if it has one; or a URL that the registry gave. */
  readonly to: string | URL;
  /** Decides which of the user's credentials are asked for. */
  readonly repository?: string | undefined;
  /** What the request needs to be allowed. */
  readonly scopes: readonly Scope[];
}

/** One for what the request was thought to need, one for what the server then says it needs. */
const maxProofs = 2;

/** One host that speaks the distribution protocol: a registry, or a mirror of one. */
export class Endpoint {
  readonly host: string;
  readonly origin: URL;
  readonly #options: EndpointOptions;
  /** By repository, once the host has wanted to know who asks: two may have different credentials. */
  readonly #authorizers = new Map<string, Promise<Authorizer>>();

  constructor(options: EndpointOptions) {
    this.host = options.host;
    this.origin = options.origin;
    this.#options = options;
  }

  /** How a repository of the registry is called here. */
  repositoryName(repository: string): string {
    return this.#options.prefix ? `${this.#options.prefix}/${repository}` : repository;
  }

  /** Send a request, and prove who asks if the host wants to know. Its own origin alone gets the proof. */
  async send(request: EndpointRequest): Promise<HttpAnswer> {
    const { to, repository, scopes, signal } = request;
    const { http } = this.#options;
    const url = typeof to === "string" ? new URL(to, this.origin) : to;
    if (url.origin !== this.origin.origin) return await http.send({ ...request, url });

    const known = await this.#authorizers.get(repository ?? "");
    let authorization = await known?.header(scopes, signal);
    for (let proofs = 0; ; proofs++) {
      const answer = await http.send({ ...request, url, authorization });
      if (answer.status !== 401 || answer.url.origin !== this.origin.origin) return answer;
      const authorizer = await this.#authorizer(repository);
      const challenges = await challengesOf(answer);
      const next = await authorizer.answer(
        { challenges, scopes, refused: authorization, isFresh: proofs > 0 },
        signal,
      );
      // A stream has been read: what was learnt serves the next request.
      if (next === undefined || proofs === maxProofs || !canRepeat(request)) return answer;
      authorization = next;
    }
  }

  /** Where an answer's `Location` leads, which may be relative. */
  location(answer: HttpAnswer, what: string): URL {
    const location = headerOf(answer, "location");
    if (location === undefined || !URL.canParse(location, answer.url.href)) {
      throw new StrataError("FailedPrecondition", `${what}: ${this.host} does not say where (no Location)`);
    }
    return this.checked(new URL(location, answer.url));
  }

  /** A URL that the registry gave, if one may go there. @throws StrataError `FailedPrecondition` */
  checked(url: URL): URL {
    url.username = "";
    url.password = "";
    assertMayLead(this.origin, url, this.#options.http.config);
    return url;
  }

  /** What can be said of the connection if a stream breaks off. */
  get configPath(): string {
    return this.#options.http.config.path;
  }

  /**
   * The error for an answer that refuses.
   * @param what - what was tried, e.g. `push of localhost:5000/app`
   * @param denied - what to say in its place if the user is not allowed to
   */
  async refusal(answer: HttpAnswer, what: string, denied: string, repository?: string): Promise<StrataError> {
    if (answer.status !== 401 && answer.status !== 403) return faultError(answer, what);
    if (answer.url.origin !== this.origin.origin) return faultError(answer, what);
    const challenges = await challengesOf(answer);
    const { credential } = await this.#authorizer(repository);
    if ((await credential) !== undefined) return faultError(answer, denied);
    const isBasic = challenges.some(({ scheme }) => scheme === "basic");
    const login = `no basic auth credentials; log in with \`strata login ${this.host}\``;
    return faultError(answer, denied, isBasic ? login : undefined);
  }

  /** Another one of the same host, with a credential that is to be tried. */
  withCredential(credential: Credential): Endpoint {
    return new Endpoint({ ...this.#options, findCredential: async () => credential });
  }

  #authorizer(repository = ""): Promise<Authorizer> {
    const present = this.#authorizers.get(repository);
    if (present !== undefined) return present;
    const made = this.#makeAuthorizer(repository);
    this.#authorizers.set(repository, made);
    return made;
  }

  async #makeAuthorizer(repository: string): Promise<Authorizer> {
    const { http, findCredential, onNotice } = this.#options;
    const { Authorizer } = await import("../auth/authorizer.ts");
    return new Authorizer({
      origin: this.origin,
      http,
      findCredential: () => findCredential(repository || undefined),
      onNotice,
    });
  }
}

async function challengesOf(answer: HttpAnswer): Promise<Challenge[]> {
  const { parseChallenges } = await import("../auth/challenge.ts");
  return parseChallenges(answer.headers["www-authenticate"]);
}

function canRepeat({ body }: EndpointRequest): boolean {
  return body === undefined || body instanceof Uint8Array;
}
