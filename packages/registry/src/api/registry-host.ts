import { StrataError } from "@strata/core";
import type { Credential } from "../credentials/credential.ts";
import type { SearchOptions, SearchResult } from "../search.ts";
import type { Endpoint } from "./endpoint.ts";

/** A registry as a whole. Errors are those of {@link RegistryClient}. */
export class RegistryHost {
  readonly #endpoint: (signal?: AbortSignal) => Promise<Endpoint>;

  constructor(endpoint: (signal?: AbortSignal) => Promise<Endpoint>) {
    this.#endpoint = endpoint;
  }

  /**
   * Whether a registry answers there, and lets its user in.
   * @throws StrataError `Unsupported` if something else answers
   * @see distribution-spec, "Determining Support"
   */
  async ping(signal?: AbortSignal): Promise<void> {
    await ping(await this.#endpoint(signal), signal);
  }

  /**
   * Try a credential, as a login does before it keeps it.
   * @throws StrataError `FailedPrecondition` if it is not accepted
   */
  async verify(credential: Credential, signal?: AbortSignal): Promise<void> {
    await ping((await this.#endpoint(signal)).withCredential(credential), signal);
  }

  /** The names of all repositories, page by page; few public registries tell. */
  async *catalog(signal?: AbortSignal): AsyncGenerator<string> {
    const { listRepositories } = await import("./lists.ts");
    yield* listRepositories(await this.#endpoint(signal), signal);
  }

  /**
   * Find repositories by a term. The Hub is asked by its own search; any other registry by the same request if it knows
   * it, else its catalog is looked through, without descriptions and stars.
   * @throws StrataError `InvalidArgument` for a limit that is not 1 to 100
   */
  async search(term: string, options: SearchOptions = {}): Promise<SearchResult[]> {
    const { searchRegistry } = await import("../search.ts");
    return await searchRegistry(await this.#endpoint(options.signal), term, options);
  }
}

async function ping(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<void> {
  const answer = await endpoint.send({ method: "GET", to: "/v2/", scopes: [], signal });
  if (answer.status === 200) return;
  if (answer.status === 404) {
    throw new StrataError(
      "Unsupported",
      `${endpoint.origin.origin} is not a registry: it does not know /v2/`,
    );
  }
  throw await endpoint.refusal(answer, endpoint.host, `${endpoint.host}: access denied`);
}
