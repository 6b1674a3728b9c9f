import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const lifetimeSeconds = 300;

/** Who a token was given to; nobody in particular, without a user. */
export interface Bearer {
  readonly user?: string;
}

/** Tokens that this server gives and takes, and nobody else: they end with it. */
export class Tokens {
  readonly #key = randomBytes(32);

  /** The answer of a token server. @see https://distribution.github.io/distribution/spec/auth/token/ */
  issue(bearer: Bearer): object {
    const now = Math.floor(Date.now() / 1000);
    const content = Buffer.from(JSON.stringify({ ...bearer, expires: now + lifetimeSeconds }));
    const text = content.toString("base64url");
    const token = `${text}.${this.#sign(text).toString("base64url")}`;
    return {
      token,
      access_token: token,
      expires_in: lifetimeSeconds,
      issued_at: new Date(now * 1000).toISOString(),
    };
  }

  /** Undefined, if it is not one of these, or its time is over. */
  read(token: string): Bearer | undefined {
    const [content = "", signature = ""] = token.split(".");
    const [given, right] = [Buffer.from(signature, "base64url"), this.#sign(content)];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const { user, expires } = JSON.parse(Buffer.from(content, "base64url").toString());
    if (Date.now() > expires * 1000) return undefined;
    return user === undefined ? {} : { user };
  }

  #sign(text: string): Buffer {
    return createHmac("sha256", this.#key).update(text).digest();
  }
}
