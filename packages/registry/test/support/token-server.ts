import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CertificateFiles } from "./certificates.ts";
import { answerJson, contentOf, type Identity, type RecordedRequest, WebServer } from "./web-server.ts";

export interface TokenServerOptions {
  /** What tokens are signed with. */
  readonly signing: CertificateFiles;
  readonly service: string;
  /** Passwords by user. They may do anything; anybody may pull. */
  readonly users?: Readonly<Record<string, string>>;
  /** What a user gets by an identity token, by token. */
  readonly identityTokens?: Readonly<Record<string, string>>;
  /** The status by which it refuses POST, as old servers do. */
  readonly refusesPost?: 404 | 405 | 401;
  /** @defaultValue 300 */
  readonly expiresInSeconds?: number;
  /** Anybody may do nothing at all. */
  readonly closed?: boolean;
  /** It gives no token at all for this scope, not even with others. */
  readonly refusedScope?: string;
  readonly identity?: Identity;
}

/** What was asked for, once the form or the query was read. */
export interface TokenQuestion {
  readonly method: string;
  readonly service: string | null;
  readonly scopes: readonly string[];
  readonly user: string | undefined;
  readonly authorization: string | undefined;
}

/**
 * A token server that docker-registry believes: GET and OAuth2 POST, tokens signed as JWT.
 * @see distribution, "Token Authentication Implementation"
 */
export class TokenServer implements AsyncDisposable {
  /** What it was asked, in order. */
  readonly questions: TokenQuestion[] = [];
  readonly tokens: string[] = [];
  readonly #options: TokenServerOptions;
  #server: WebServer | undefined;

  private constructor(options: TokenServerOptions) {
    this.#options = options;
  }

  static async start(options: TokenServerOptions): Promise<TokenServer> {
    const server = new TokenServer(options);
    server.#server = await WebServer.start(
      (request, response, recorded) => server.#handle(request, response, recorded),
      options.identity,
    );
    return server;
  }

  /** The URL to ask for tokens. */
  get realm(): string {
    return `${this.#server?.url}/token`;
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    { method, url }: RecordedRequest,
  ): Promise<void> {
    const { users = {}, identityTokens = {}, refusesPost, service, closed, refusedScope } = this.#options;
    const asked =
      method === "POST"
        ? new URLSearchParams(String(await contentOf(request)))
        : new URL(url, "http://x").searchParams;
    const { authorization } = request.headers;
    const basic = Buffer.from(authorization?.slice("Basic ".length) ?? "", "base64").toString();
    const [name = "", password] =
      method === "POST"
        ? [asked.get("username") ?? "", asked.get("password") ?? undefined]
        : basic.split(":");
    const refresh = asked.get("refresh_token");
    const isKnown = name !== "" && users[name] === password;
    const user = refresh === null ? (isKnown ? name : undefined) : identityTokens[refresh];
    const scopes = asked.getAll("scope").flatMap((text) => text.split(" "));
    this.questions.push({ method, service: asked.get("service"), scopes, user, authorization });

    if (method === "POST" && refusesPost !== undefined) return answerJson(response, refusesPost, {});
    if (asked.get("service") !== service) return answerJson(response, 400, { details: "no such service" });
    const isAnonymous = refresh === null && name === "" && authorization === undefined;
    if (user === undefined && (closed || !isAnonymous))
      return answerJson(response, 401, { details: "who are you?" });

    if (scopes.some((scope) => scope === refusedScope))
      return answerJson(response, 403, { details: "not for you" });

    const expires = this.#options.expiresInSeconds ?? 300;
    const token = this.#token(scopes, user, expires);
    this.tokens.push(token);
    const field = method === "POST" ? "access_token" : "token";
    answerJson(response, 200, { [field]: token, expires_in: expires, issued_at: new Date().toISOString() });
  }

  #token(scopes: readonly string[], user: string | undefined, expiresInSeconds: number): string {
    const { signing, service } = this.#options;
    const certificate = new X509Certificate(readFileSync(signing.cert)).raw.toString("base64");
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, ...rest] = scope.split(":");
      const actions = (rest.pop() ?? "").split(",");
      const allowed = user === undefined ? actions.filter((action) => action === "pull") : actions;
      return { type, name: rest.join(":"), actions: allowed };
    });
    const claims = { iss: "a test", sub: user ?? "", aud: service, jti: randomUUID(), access };
    const times = { iat: now, nbf: now - 5, exp: now + expiresInSeconds };
    const content = [
      { typ: "JWT", alg: "ES256", x5c: [certificate] },
      { ...claims, ...times },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const key = createPrivateKey(readFileSync(signing.key));
    const signature = sign("sha256", Buffer.from(content), { key, dsaEncoding: "ieee-p1363" });
    return `${content}.${signature.toString("base64url")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
