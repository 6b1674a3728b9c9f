import { StrataError } from "@strata/core";
import { abortable } from "../abortable.ts";
import { basicAuthorization, type Credential } from "../credentials/credential.ts";
import { isLoopback } from "../hosts.ts";
import type { HttpClient } from "../http/http-client.ts";
import { assertMayLead } from "../http/scheme.ts";
import type { Challenge } from "./challenge.ts";
import { mergeScopes, type Scope } from "./scopes.ts";
import { TokenCache } from "./token-cache.ts";

export interface AuthorizerOptions {
  /** Of the one registry, or mirror, that this proves its user to. */
  readonly origin: URL;
  readonly http: HttpClient;
  /** Asked at most once, and only when the server wants to know who asks. */
  readonly findCredential: () => Promise<Credential | undefined>;
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** What a server answered with 401 to. */
export interface Refusal {
  readonly challenges: readonly Challenge[];
  /** What the request was thought to need. */
  readonly scopes: readonly Scope[];
  /** The header that was not enough. */
  readonly refused: string | undefined;
  /** Whether it was made for this very request: the same again will not do better. */
  readonly isFresh: boolean;
}

/**
 * Proves to one host who asks, in the way in which that host asked for it. The first request to a host goes without, so
 * a host that lets anybody in never learns who it was.
 *
 * The password goes to the host itself. To a token server (the realm of a Bearer challenge), which often is another
 * host, it goes only if the server is named by someone who can be trusted to name it: by the registry over TLS, by one on
 * this machine, or if it is the registry's own origin. Else the token is asked for as anybody.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new TokenCache();
  /** What the server has asked for in place of the scopes that a request was thought to need. */
  readonly #asked = new Map<string, readonly Scope[]>();
  #challenge: Challenge | undefined;
  #credential: Promise<Credential | undefined> | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The credential, if the server has asked for one and the user has one. */
  get credential(): Promise<Credential | undefined> {
    this.#credential ??= this.#options.findCredential();
    return this.#credential;
  }

  /**
   * The header for a request, as far as the server has ever asked for one.
   * @throws StrataError `FailedPrecondition` if a token server refuses
   */
  async header(scopes: readonly Scope[], signal?: AbortSignal): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic") return await abortable(this.#basic(), signal);
    return `Bearer ${await abortable(this.#bearer(challenge, this.#needed(scopes)), signal)}`;
  }

  /**
   * Learn from a 401 what the server wants.
   * @returns the header to try instead, or undefined if there is nothing else to offer
   * @throws StrataError as {@link header}
   */
  async answer(
    { challenges, scopes, refused, isFresh }: Refusal,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const challenge =
      challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm")) ??
      challenges.find(({ scheme }) => scheme === "basic");
    if (challenge === undefined) return undefined;
    this.#challenge = challenge;
    if (challenge.scheme === "bearer") {
      const before = keyOf(this.#needed(scopes));
      const asked = challenge.parameters.get("scope")?.split(" ") ?? [];
      this.#asked.set(keyOf(scopes), mergeScopes([...this.#needed(scopes), ...asked]));
      if (refused?.startsWith("Bearer ")) {
        if (isFresh && keyOf(this.#needed(scopes)) === before) return undefined;
        await this.#tokens.drop(before, refused.slice("Bearer ".length));
      }
    }
    const header = await this.header(scopes, signal);
    return header === refused ? undefined : header;
  }

  #needed(scopes: readonly Scope[]): readonly Scope[] {
    return this.#asked.get(keyOf(scopes)) ?? mergeScopes(scopes);
  }

  async #basic(): Promise<string | undefined> {
    const credential = await this.credential;
    return credential && "password" in credential ? basicAuthorization(credential) : undefined;
  }

  async #bearer({ parameters }: Challenge, scopes: readonly Scope[]): Promise<string> {
    const { origin, http } = this.#options;
    const realm = this.#realm(parameters.get("realm") ?? "");
    const service = parameters.get("service");
    const { token } = await this.#tokens.get(keyOf(scopes), async () => {
      const credential = await this.credential;
      const trusted =
        origin.protocol === "https:" || isLoopback(origin.hostname) || realm.origin === origin.origin;
      if (credential !== undefined && !trusted) {
        const message = `${origin.origin} names ${realm.origin} as its token server without encryption: the credentials for ${origin.host} are not sent there`;
        this.#options.onNotice?.(message);
      }
      const { fetchToken } = await import("./token.ts");
      return await fetchToken(http, { realm, service, scopes, credential: trusted ? credential : undefined });
    });
    return token;
  }

  #realm(text: string): URL {
    const { origin, http } = this.#options;
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (realm === undefined || realm.username !== "" || realm.password !== "") {
      const message = `${origin.origin}: names ${JSON.stringify(text)} as its token server, which is no URL of one`;
      throw new StrataError("FailedPrecondition", message);
    }
    assertMayLead(origin, realm, http.config);
    return realm;
  }
}

function keyOf(scopes: readonly Scope[]): string {
  return mergeScopes(scopes).join(" ");
}
