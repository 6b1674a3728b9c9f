import { Scratch } from "@strata/conformance/suite";
import { expect, it } from "vitest";
import { User } from "./support/user.ts";
import { answerJson, WebServer } from "./support/web-server.ts";

/** What a client makes of a 401: the header that it comes back with, and what it asked the token server. */
async function answerTo(
  challenge: (url: string) => string | string[],
): Promise<{ header: string | undefined; asked: string | undefined }> {
  await using scratch = new Scratch();
  const user = new User(scratch);
  let header: string | undefined;
  await using server = await WebServer.start((request, response, { url }) => {
    if (url.startsWith("/token")) return answerJson(response, 200, { token: "t" });
    header = request.headers.authorization;
    answerJson(response, header ? 200 : 401, {}, header ? {} : { "www-authenticate": challenge(server.url) });
  });
  user.logIn({ [server.host]: "ann:secret" });
  await using registries = await user.open();
  await registries
    .host(server.host)
    .ping()
    .catch(() => {});
  const asked = server.log.find((line) => line.includes("/token"));
  return { header, asked };
}

const basic = `Basic ${btoa("ann:secret")}`;

it.each<[string, (url: string) => string | string[], string | undefined]>([
  ["Basic", () => "Basic", basic],
  ["Basic with a realm", () => 'basic realm="a, b"', basic],
  ["Bearer", (url) => `Bearer realm="${url}/token",service="s"`, "Bearer t"],
  ["Bearer without quotes and with spaces", (url) => `BEARER Realm = ${url}/token , service=s`, "Bearer t"],
  ["Basic, then Bearer, in one header", (url) => `Basic realm="x", Bearer realm="${url}/token"`, "Bearer t"],
  [
    "Bearer, then Basic, in two headers",
    (url) => [`Bearer realm="${url}/token"`, 'Basic realm="x"'],
    "Bearer t",
  ],
  [
    "what nobody speaks, then Basic",
    () => 'Negotiate YWJj==, NTLM, Digest qop="auth, auth-int", Basic realm="x"',
    basic,
  ],
  ["a quoted quote", (url) => `Bearer error="say \\"token\\"",realm="${url}/token"`, "Bearer t"],
  ["nothing that anybody speaks", () => "Negotiate", undefined],
  ["nonsense", () => '="', undefined],
  ["a realm that is none", () => 'Bearer realm="/token"', undefined],
  [
    "a realm with a password of its own",
    (url) => `Bearer realm="${url.replace("//", "//eve:x@")}/token"`,
    undefined,
  ],
])("understands %s", async (_name, challenge, expected) => {
  expect((await answerTo(challenge)).header).toBe(expected);
});
