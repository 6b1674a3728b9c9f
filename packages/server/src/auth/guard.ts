import { TLSSocket } from "node:tls";
import { isStrataError } from "@strata/core";
import type { Route } from "../api/routes.ts";
import type { Exchange } from "../http/exchange.ts";
import { RegistryError } from "../http/registry-error.ts";
import { Htpasswd } from "./htpasswd.ts";
import { Tokens } from "./tokens.ts";

export interface GuardOptions {
  /** A file of users. @defaultValue everybody may do everything */
  readonly htpasswd?: string;
  /** Who is none of the users may read. @defaultValue false */
  readonly anonymousRead?: boolean;
}

const tokenPath = "/token";

/**
 * Decides who may do what: a user everything; anybody else nothing, or to read.
 *
 * Without anonymous reading it asks for a password (Basic). With it, clients are sent for a token, which those without a
 * password get as well: a client that is told of Basic gives up when it has no password, and one that is told of
 * nothing never shows the password it has.
 */
export class Guard {
  readonly #users: Htpasswd | undefined;
  readonly #anonymousRead: boolean;
  readonly #tokens = new Tokens();

  private constructor(users: Htpasswd | undefined, anonymousRead: boolean) {
    this.#users = users;
    this.#anonymousRead = anonymousRead;
  }

  /** As `Htpasswd.open`. */
  static async open(
    { htpasswd, anonymousRead = false }: GuardOptions,
    onError: (error: unknown) => void,
  ): Promise<Guard> {
    const users = htpasswd === undefined ? undefined : await Htpasswd.open(htpasswd, onError);
    return new Guard(users, anonymousRead);
  }

  /**
   * Answer a request for a token, if this is one.
   * @returns whether it was
   */
  async answerToken(exchange: Exchange): Promise<boolean> {
    const isAsked = this.#users !== undefined && this.#anonymousRead && exchange.path === tokenPath;
    if (!isAsked || exchange.method !== "GET") return false;
    const basic = basicOf(exchange);
    if (basic !== undefined && !(await this.#verify(this.#users, basic))) {
      throw refusal("the user name or the password is wrong", basicChallenge);
    }
    exchange.user = basic?.user;
    exchange.json(200, this.#tokens.issue(basic ? { user: basic.user } : {}), {
      "cache-control": "no-store",
    });
    return true;
  }

  /** @throws RegistryError UNAUTHORIZED, with what to do about it */
  async admit(exchange: Exchange, route: Route): Promise<void> {
    if (this.#users === undefined) return;
    const authorization = exchange.request.headers.authorization;
    const token = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    const bearer = token === undefined ? undefined : this.#tokens.read(token);
    const basic = basicOf(exchange);
    if (basic !== undefined && (await this.#verify(this.#users, basic))) exchange.user = basic.user;
    else exchange.user = bearer?.user;
    if (exchange.user !== undefined) return;
    const isAnonymous = authorization === undefined || bearer !== undefined;
    // Where clients ask what is wanted, they must hear it, unless they know.
    const mayRead = route.isRead && (!route.isBase || bearer !== undefined);
    if (this.#anonymousRead && isAnonymous && mayRead) return;
    const why = isAnonymous ? "authentication required" : "the user name or the password is wrong";
    throw refusal(why, this.#challenge(exchange, route));
  }

  async #verify(users: Htpasswd | undefined, { user, password }: Basic): Promise<boolean> {
    try {
      return (await users?.verify(user, password)) ?? false;
    } catch (error) {
      if (!isStrataError(error, "Busy")) throw error;
      throw new RegistryError(429, "TOOMANYREQUESTS", error.message, { headers: { "retry-after": "5" } });
    }
  }

  #challenge({ request }: Exchange, { target, isRead, isBase }: Route): string {
    if (!this.#anonymousRead) return basicChallenge;
    // A proxy speaks TLS for this server perhaps. Who lies about that leads only themselves astray.
    const isEncrypted =
      request.socket instanceof TLSSocket || request.headers["x-forwarded-proto"] === "https";
    const scheme = isEncrypted ? "https" : "http";
    const host = (request.headers.host ?? "").replaceAll(/[^\w.:[\]-]/g, "");
    const scope =
      isBase || target.path === ""
        ? ""
        : `,scope="repository:${target.path}:${isRead ? "pull" : "pull,push"}"`;
    return `Bearer realm="${scheme}://${host}${tokenPath}",service="strata"${scope}`;
  }
}

const basicChallenge = 'Basic realm="strata", charset="UTF-8"';

interface Basic {
  readonly user: string;
  readonly password: string;
}

function basicOf({ request }: Exchange): Basic | undefined {
  const encoded = /^basic +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString();
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function refusal(why: string, challenge: string): RegistryError {
  return new RegistryError(401, "UNAUTHORIZED", why, { headers: { "www-authenticate": challenge } });
}
