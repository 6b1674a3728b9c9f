import { StrataError } from "@strata/core";
import { basicAuthorization, type Credential } from "../credentials/credential.ts";
import type { HttpClient } from "../http/http-client.ts";
import { displayUrl, type HttpAnswer, isSuccess } from "../http/message.ts";
import { asText, parseObject } from "../json.ts";
import type { Scope } from "./scopes.ts";

const clientId = "strata";
/** What a token server means that does not say. @see distribution, token authentication, "expires_in" */
const defaultSeconds = 60;

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  readonly credential: Credential | undefined;
}

export interface Token {
  readonly token: string;
  /** Counted from when it came, by this machine's clock: the server's may be wrong. */
  readonly lifetimeMs: number;
}

/**
 * Have a token server give a token: by OAuth2 for an identity token, or a password that the server takes so; else by
 * GET, with the password as Basic, or for anybody.
 * @throws StrataError `FailedPrecondition` if it refuses, `Busy` or `Aborted` if it is in trouble
 * @see distribution, "Token Authentication Specification" and "Token Authentication using OAuth2"
 */
export async function fetchToken(http: HttpClient, request: TokenRequest): Promise<Token> {
  const { credential, realm } = request;
  if (credential !== undefined) {
    const answer = await post(http, request, credential);
    // Old servers do not know the method (404, 405), or take credentials in the header only (401).
    const knowsNot =
      [404, 405].includes(answer.status) || (answer.status === 401 && "password" in credential);
    if (!knowsNot) return read(answer, realm);
    if (!("password" in credential)) {
      const message = `${displayUrl(realm)} takes no identity tokens (${answer.status}); log in with a password`;
      throw new StrataError("FailedPrecondition", message);
    }
  }
  return read(await get(http, request), realm);
}

function post(
  http: HttpClient,
  { realm, service, scopes }: TokenRequest,
  credential: Credential,
): Promise<HttpAnswer> {
  const form = new URLSearchParams({ client_id: clientId, ...(service && { service }) });
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  if ("identityToken" in credential) {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", credential.identityToken);
  } else {
    form.set("grant_type", "password");
    form.set("username", credential.username);
    form.set("password", credential.password);
  }
  return http.send({
    method: "POST",
    url: realm,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: Buffer.from(form.toString()),
    isSecret: true,
  });
}

function get(http: HttpClient, { realm, service, scopes, credential }: TokenRequest): Promise<HttpAnswer> {
  const url = new URL(realm);
  url.searchParams.set("client_id", clientId);
  if (service) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credential === undefined || !("password" in credential)) return http.send({ method: "GET", url });
  url.searchParams.set("account", credential.username);
  return http.send({ method: "GET", url, authorization: basicAuthorization(credential) });
}

function read(answer: HttpAnswer, realm: URL): Token {
  const what = displayUrl(realm);
  const document = parseObject(answer.bytes);
  if (!isSuccess(answer.status)) {
    const said =
      asText(document?.["details"]) ??
      asText(document?.["error_description"]) ??
      asText(document?.["message"]);
    const refused = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
    const why =
      answer.status === 401 ? "unauthorized: incorrect username or password" : `no token (${answer.status})`;
    throw new StrataError(
      refused ? "FailedPrecondition" : "Busy",
      `${what}: ${why}${said ? `: ${said}` : ""}`,
    );
  }
  const token = asText(document?.["token"]) ?? asText(document?.["access_token"]);
  // It becomes a header.
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
    throw new StrataError("FailedPrecondition", `${what}: the answer holds no token`);
  }
  const seconds = document?.["expires_in"];
  const valid = typeof seconds === "number" && seconds > 0 ? seconds : defaultSeconds;
  return { token, lifetimeMs: valid * 1000 };
}
