import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { parseReference } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Authority, type CertificateFiles } from "./support/certificates.ts";
import { DockerRegistry } from "./support/docker-registry.ts";
import { listOf, pushBlob, pushSample } from "./support/sample.ts";
import { TokenServer, type TokenServerOptions } from "./support/token-server.ts";
import { User } from "./support/user.ts";
import { answerJson, contentOf, WebServer } from "./support/web-server.ts";

let scratch: Scratch;
let signing: CertificateFiles;
let user: User;

beforeEach(async () => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

describeWith("docker-registry with a token server", ["docker-registry", "openssl"], () => {
  beforeEach(async () => {
    signing = await (await Authority.make(scratch, "signer")).issue("DNS:tokens");
  });

  async function start(options: Partial<TokenServerOptions> = {}) {
    const tokens = await TokenServer.start({
      signing,
      service: "a registry",
      users: { ann: "secret" },
      ...options,
    });
    const server = await DockerRegistry.start({
      token: { realm: tokens.realm, service: "a registry", rootCertificates: signing.cert },
    });
    const registries = await user.open();
    return {
      tokens,
      server,
      registries,
      open: (name = "app", access: "pull" | "push" = "pull") =>
        registries.repository(parseReference(`${server.host}/${name}`), { access }),
      [Symbol.asyncDispose]: async () => {
        await registries.close();
        await server[Symbol.asyncDispose]();
        await tokens[Symbol.asyncDispose]();
      },
    };
  }

  it("pushes with one token of a user, by OAuth2, and pulls with one as anybody", async () => {
    await using hub = await start();
    user.logIn({ [hub.server.host]: "ann:secret" });
    await pushSample(hub.open("app", "push"), "1");
    expect(hub.tokens.questions).toEqual([
      {
        method: "POST",
        service: "a registry",
        scopes: ["repository:app:pull,push"],
        user: "ann",
        authorization: undefined,
      },
    ]);

    await using anybody = await user.open();
    user.logIn({});
    await anybody.repository(parseReference(`${hub.server.host}/app`)).getManifest("1");
    expect(hub.tokens.questions.at(-1)).toMatchObject({
      method: "GET",
      scopes: ["repository:app:pull"],
      user: undefined,
    });
  });

  it.each([404, 405, 401] as const)(
    "goes back to GET with Basic where POST is refused with %i",
    async (refusesPost) => {
      await using hub = await start({ refusesPost });
      user.logIn({ [hub.server.host]: "ann:secret" });
      await pushSample(hub.open(), "1");
      const [first, second] = hub.tokens.questions;
      expect(first?.method).toBe("POST");
      expect(second).toMatchObject({
        method: "GET",
        user: "ann",
        authorization: expect.stringMatching(/^Basic /),
      });
    },
  );

  it("takes an identity token, from the file or from a helper", async () => {
    await using hub = await start({ identityTokens: { "its-me": "ann" } });
    user.write(".docker/config.json", {
      auths: { [hub.server.host]: { auth: btoa("<token>:"), identitytoken: "its-me" } },
    });
    await pushSample(hub.open(), "1");
    expect(hub.tokens.questions[0]).toMatchObject({ method: "POST", user: "ann" });

    user.addHelper("keychain", `printf '{"Username":"<token>","Secret":"its-me"}'`);
    user.write(".docker/config.json", { credsStore: "keychain" });
    await using others = await user.open();
    await pushSample(others.repository(parseReference(`${hub.server.host}/app`)), "2");
  });

  it("asks for both repositories to mount from one to the other, and for the catalog by its own scope", async () => {
    await using hub = await start();
    user.logIn({ [hub.server.host]: "ann:secret" });
    const digest = await pushBlob(hub.open("from", "push"), Buffer.from("a blob"));
    expect(await hub.open("to", "push").mountBlob(digest, "from")).toBeUndefined();
    expect(hub.tokens.questions.at(-1)?.scopes).toEqual(["repository:from:pull", "repository:to:pull,push"]);
    await listOf(hub.registries.host(hub.server.host).catalog());
    expect(hub.tokens.questions.at(-1)?.scopes).toEqual(["registry:catalog:*"]);
    await hub.open("to").deleteBlob(digest);
    expect(hub.tokens.questions.at(-1)?.scopes).toEqual(["repository:to:delete,pull"]);
  });

  it("fetches one token for many who ask at the same time", async () => {
    await using hub = await start();
    user.logIn({ [hub.server.host]: "ann:secret" });
    const { layerDigest } = await pushSample(hub.open(), "1");
    await using others = await user.open();
    hub.tokens.questions.length = 0;
    const client = others.repository(parseReference(`${hub.server.host}/app`));
    await Promise.all(Array.from({ length: 12 }, () => client.headBlob(layerDigest)));
    expect(hub.tokens.questions).toHaveLength(1);
  });

  it("renews a token before it ends", async () => {
    await using hub = await start({ expiresInSeconds: 1 });
    user.logIn({ [hub.server.host]: "ann:secret" });
    const { layerDigest } = await pushSample(hub.open(), "1");
    await hub.open().headBlob(layerDigest);
    const before = hub.tokens.questions.length;
    hub.server.proxy.requests.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await hub.open().headBlob(layerDigest);
    expect(hub.tokens.questions.length).toBeGreaterThan(before);
    // The old one was not shown any more, to be refused.
    expect(hub.server.proxy.requests).toHaveLength(1);
  });

  it("says what the token server says", async () => {
    await using hub = await start({ closed: true });
    await expect(hub.open().getManifest("1")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining("unauthorized: incorrect username or password: who are you?"),
    });
    await expect(
      hub.registries.host(hub.server.host).verify({ username: "ann", password: "wrong" }),
    ).rejects.toThrow("incorrect username or password");
    await hub.registries.host(hub.server.host).verify({ username: "ann", password: "secret" });
  });

  it("says that the token server does not know the registry", async () => {
    await using hub = await start({ service: "another registry" });
    await expect(hub.open().getManifest("1")).rejects.toThrow("no token (400): no such service");
  });

  it("says that it may be a login that is missing, where anybody may only pull", async () => {
    await using hub = await start();
    await expect(pushSample(hub.open(), "1")).rejects.toThrow(/^push access denied for \S+\/app: /);
  });
});

describe("a token that is refused", () => {
  it("is fetched anew once, with the scope that the registry asks for", async () => {
    const asked: string[] = [];
    await using server = await WebServer.start((request, response, { url }) => {
      const { pathname, searchParams } = new URL(url, "http://x");
      if (pathname === "/token") {
        asked.push(searchParams.getAll("scope").join(" "));
        return answerJson(response, 200, { token: `t${asked.length}` });
      }
      if (request.headers.authorization === "Bearer t2") return answerJson(response, 200, { tags: ["1"] });
      const challenge = `Bearer realm="http://${request.headers.host}/token",service=s,scope="repository:more:pull",error="insufficient_scope"`;
      answerJson(
        response,
        401,
        {},
        { "www-authenticate": asked.length === 0 ? challenge.replace("more", "app") : challenge },
      );
    });
    await using registries = await user.open();
    const client = registries.repository(parseReference(`${server.host}/app`));
    await listOf(client.tags());
    expect(asked).toEqual(["repository:app:pull", "repository:app:pull repository:more:pull"]);
    await listOf(client.tags());
    expect(asked).toHaveLength(2);
  });
});

describeWith("who gets a password", ["openssl"], () => {
  /** A registry that names another host as its token server, and one that remembers who came. */
  async function pair(identityOfRegistry: boolean) {
    const authority = await Authority.make(scratch);
    const tokens = await WebServer.start(
      (_request, response) => answerJson(response, 200, { token: "t" }),
      await authority.identity("IP:127.0.0.1,DNS:tokens.test"),
    );
    const challenge = `Bearer realm="${tokens.url}/token",service="s"`;
    const registry = await WebServer.start(
      (request, response) =>
        request.headers.authorization === "Bearer t"
          ? answerJson(response, 200, {})
          : answerJson(response, 401, {}, { "www-authenticate": challenge }),
      identityOfRegistry ? await authority.identity() : undefined,
    );
    return { authority, tokens, registry };
  }

  it("is a token server of another host, if the registry names it over TLS", async () => {
    const { authority, tokens, registry } = await pair(true);
    await using _tokens = tokens;
    await using _registry = registry;
    user.logIn({ [registry.host]: "ann:secret" });
    const ca = { ca: authority.path };
    await using registries = await user.open({ registries: { [registry.host]: ca, [tokens.host]: ca } });
    await registries.host(registry.host).ping();
    expect(tokens.log).toEqual(["POST /token"]);
  });

  it("is not a token server that is named without encryption: that is asked as by anybody", async () => {
    const { authority, tokens, registry } = await pair(false);
    await using _tokens = tokens;
    await using _registry = registry;
    user.logIn({ [registry.foreignHost]: "ann:secret" });
    await using registries = await user.open({
      registries: { [registry.foreignHost]: { insecure: true }, [tokens.host]: { ca: authority.path } },
    });
    await registries.host(registry.foreignHost).ping();
    expect(tokens.log).toEqual(["GET /token?client_id=strata&service=s"]);
    expect(tokens.requests[0]?.headers).not.toHaveProperty("authorization");
    expect(user.notices).toEqual([
      expect.stringContaining(`the credentials for ${registry.foreignHost} are not sent there`),
    ]);
  });

  it.each([307, 308])("is not the host that a token server leads to by %i", async (status) => {
    const bodies: string[] = [];
    await using elsewhere = await WebServer.start(async (request, response) => {
      bodies.push(String(await contentOf(request)));
      answerJson(response, 200, { token: "t" });
    });
    await using registry = await WebServer.start((request, response) => {
      if (request.url?.startsWith("/token")) {
        response.writeHead(status, { location: `${elsewhere.url}/token` }).end();
      } else {
        const challenge = `Bearer realm="http://${request.headers.host}/token",service="s"`;
        answerJson(response, 401, {}, { "www-authenticate": challenge });
      }
    });
    user.logIn({ [registry.host]: "ann:secret" });
    await using registries = await user.open();
    await expect(registries.host(registry.host).ping()).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: `${registry.url}/token leads to ${elsewhere.url}, which gets no credentials`,
    });
    expect(bodies).toEqual([]);
  });

  it("is not a token server in plain HTTP, unless it is on this machine or listed", async () => {
    const challenge = 'Bearer realm="http://tokens.invalid/token",service="s"';
    await using registry = await WebServer.start((_request, response) =>
      answerJson(response, 401, {}, { "www-authenticate": challenge }),
    );
    user.logIn({ [registry.host]: "ann:secret" });
    await using registries = await user.open();
    await expect(registries.host(registry.host).ping()).rejects.toThrow(
      "http://tokens.invalid: refused, as it is not encrypted",
    );
  });
});
