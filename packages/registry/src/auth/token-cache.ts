import type { Token } from "./token.ts";

/** A token is renewed while it is still valid for this part of its life, but at most for {@link maxMarginMs}. */
const marginPart = 0.2;
const maxMarginMs = 30_000;

interface Entry {
  readonly token: Promise<Token>;
  /** By `performance.now()`, which no change of the clock moves; unknown while the token is being fetched. */
  validUntil: number;
}

/** Tokens by what they are for. Who asks while one is being fetched gets that one. */
export class TokenCache {
  readonly #entries = new Map<string, Entry>();

  /** The token for `key`, fetched if there is none that is valid for a while. A failure is not kept. */
  get(key: string, fetch: () => Promise<Token>): Promise<Token> {
    const present = this.#entries.get(key);
    if (present !== undefined && performance.now() < present.validUntil) return present.token;
    const entry: Entry = { token: fetch(), validUntil: Number.POSITIVE_INFINITY };
    this.#entries.set(key, entry);
    entry.token.then(
      ({ lifetimeMs }) => {
        entry.validUntil = performance.now() + lifetimeMs - Math.min(lifetimeMs * marginPart, maxMarginMs);
      },
      () => this.#delete(key, entry),
    );
    return entry.token;
  }

  /** Forget a token that was refused; a newer one stays. */
  async drop(key: string, token: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && (await entry.token).token === token) this.#delete(key, entry);
  }

  #delete(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }
}
