import { writeFileSync } from "node:fs";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Authority } from "./support/certificates.ts";
import { DockerRegistry } from "./support/docker-registry.ts";
import { contentOf, pushSample } from "./support/sample.ts";
import { User } from "./support/user.ts";
import { answerJson, type Handler, WebServer } from "./support/web-server.ts";

let scratch: Scratch;
let user: User;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

const digest = digestOf("a blob");

const open = (host: string, registries = {}) => user.openApp(host, { registries });

describeWith("TLS", ["docker-registry", "openssl"], () => {
  it("is trusted by the authority that registries.json names, and by no other", async () => {
    const authority = await Authority.make(scratch);
    await using server = await DockerRegistry.start({ tls: await authority.issue() });
    await using trusting = await open(server.host, { [server.host]: { ca: authority.path } });
    await pushSample(trusting, "1");
    expect((await trusting.getManifest("1")).bytes.length).toBeGreaterThan(0);

    await using ignorant = await open(server.host);
    await expect(ignorant.getManifest("1")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: `https://${server.host}: x509: certificate signed by unknown authority. If the server is the right one, name its authority: write {"registries": {"${server.host}": {"ca": "/path/of/ca.pem"}}} into ${scratch.join("registries.json")}`,
    });
    const other = await Authority.make(scratch, "other");
    await using misled = await open(server.host, { [server.host]: { ca: other.path } });
    await expect(misled.getManifest("1")).rejects.toThrow("unknown authority");
  });

  it("is trusted as the system says, or the file that SSL_CERT_FILE names in its place", async () => {
    const authority = await Authority.make(scratch);
    const extra = await Authority.make(scratch, "extra");
    await using server = await DockerRegistry.start({ tls: await authority.issue() });
    const trusts = async (variables: Readonly<Record<string, string>>): Promise<boolean> => {
      await using client = await user.openApp(server.host, { env: { ...user.env, ...variables } });
      return await client.headManifest("1").then(
        () => true,
        (error: unknown) => {
          if (!String(error).includes("unknown authority")) throw error;
          return false;
        },
      );
    };
    expect(await trusts({})).toBe(false);
    expect(await trusts({ SSL_CERT_FILE: authority.path })).toBe(true);
    expect(await trusts({ SSL_CERT_FILE: extra.path })).toBe(false);
    expect(await trusts({ SSL_CERT_FILE: extra.path, NODE_EXTRA_CA_CERTS: authority.path })).toBe(true);
    await expect(trusts({ SSL_CERT_FILE: scratch.join("missing.pem") })).rejects.toThrow("SSL_CERT_FILE");
  });

  it("is not trusted for another host", async () => {
    const authority = await Authority.make(scratch);
    await using server = await DockerRegistry.start({ tls: await authority.issue("DNS:elsewhere.test") });
    await using client = await open(server.host, { [server.host]: { ca: authority.path, insecure: true } });
    await expect(client.getManifest("1")).rejects.toThrow(
      "x509: the server's certificate is not valid for it",
    );
  });

  it("shows the certificate of registries.json to a server that wants one", async () => {
    const authority = await Authority.make(scratch);
    const clients = await Authority.make(scratch, "clients");
    const tls = { ...(await authority.issue()), clientCa: clients.path };
    await using server = await DockerRegistry.start({ tls });
    const own = await clients.issue("DNS:ann");
    await using known = await open(server.host, { [server.host]: { ca: authority.path, ...own } });
    await pushSample(known, "1");
    await using unknown = await open(server.host, { [server.host]: { ca: authority.path } });
    await expect(unknown.getManifest("1")).rejects.toThrow(
      "the server wants another certificate of the client",
    );
  });

  it("is not left behind for a server that does not speak it, unless registries.json says so", async () => {
    await using server = await WebServer.start((_request, response) => answerJson(response, 200, {}));
    await using registries = await user.open();
    await expect(registries.host(server.foreignHost).ping()).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: `https://${server.foreignHost}: http: server gave HTTP response to HTTPS client: it does not encrypt. Whoever trusts it and the network in between allows plain HTTP: write {"registries": {"${server.foreignHost}": {"insecure": true}}} into ${scratch.join("registries.json")}`,
    });
    expect(server.requests).toEqual([]);
    await using allowing = await user.open({ registries: { [server.foreignHost]: { insecure: true } } });
    await allowing.host(server.foreignHost).ping();
    expect(server.log).toEqual(["GET /v2/"]);
  });

  it("is used with a listed host, too, where it is spoken", async () => {
    const authority = await Authority.make(scratch);
    await using server = await WebServer.start(
      (_request, response) => answerJson(response, 200, {}),
      await authority.identity("IP:0.0.0.0"),
    );
    const settings = { [server.foreignHost]: { insecure: true, ca: authority.path } };
    await using registries = await user.open({ registries: settings });
    await registries.host(server.foreignHost).ping();
  });

  it("on a host elsewhere does not lead to plain HTTP on this machine", async () => {
    await using inside = await WebServer.start((_request, response) => answerJson(response, 200, {}));
    const authority = await Authority.make(scratch);
    await using server = await WebServer.start(
      (_request, response) => {
        response.writeHead(307, { location: inside.url }).end();
      },
      await authority.identity("IP:0.0.0.0"),
    );
    await using registries = await user.open({
      registries: { [server.foreignHost]: { ca: authority.path } },
    });
    await expect(registries.host(server.foreignHost).ping()).rejects.toThrow("on this machine; refused");
    expect(inside.requests).toEqual([]);
  });

  it("says which file of certificates is not there, or is none", async () => {
    const missing = { ca: "missing.pem" };
    await using server = await WebServer.start(
      (_request, response) => answerJson(response, 200, {}),
      await (await Authority.make(scratch)).identity(),
    );
    await using client = await open(server.host, { [server.host]: missing });
    await expect(client.getManifest("1")).rejects.toThrow(
      `registries.json: ca of ${server.host}: ENOENT: no such file or directory, open '${scratch.join("missing.pem")}'`,
    );
    writeFileSync(scratch.join("key.pem"), "no key");
    await using other = await open(server.host, { [server.host]: { cert: "key.pem", key: "key.pem" } });
    await expect(other.getManifest("1")).rejects.toMatchObject({ code: "InvalidArgument" });
  });
});

describe("plain HTTP", () => {
  it("is refused by any host that is neither this machine nor listed", async () => {
    await using front = await WebServer.start((_request, response) => {
      response.writeHead(307, { location: "http://registry.invalid/v2/" }).end();
    });
    await using registries = await user.open();
    await expect(registries.host(front.host).ping()).rejects.toThrow(
      'http://registry.invalid: refused, as it is not encrypted; whoever trusts it and the network in between writes {"registries": {"registry.invalid": {"insecure": true}}}',
    );
  });

  it("is tried with a listed host", async () => {
    await using registries = await user.open({
      registries: { "registry.invalid": { insecure: true } },
      attempts: 1,
    });
    await expect(registries.host("registry.invalid").ping()).rejects.toThrow(
      "http://registry.invalid: no such host",
    );
    await expect(registries.host("other.invalid").ping()).rejects.toThrow(
      "https://other.invalid: no such host",
    );
  });
});

describe("redirects", () => {
  const content: Handler = (_request, response) => void response.end("a blob");

  function leadingTo(target: () => string, status = 307): Handler {
    return (request, response) => {
      if (request.headers.authorization === undefined) {
        return answerJson(response, 401, {}, { "www-authenticate": 'Basic realm="a test"' });
      }
      response.writeHead(status, { location: target() }).end();
    };
  }

  it.each([301, 302, 303, 307, 308])(
    "with %i lead to another host, which sees no credentials",
    async (status) => {
      await using blobs = await WebServer.start(content);
      await using server = await WebServer.start(leadingTo(() => `${blobs.url}/store?signature=1`, status));
      user.logIn({ [server.host]: "ann:secret", [blobs.host]: "ann:other" });
      await using client = await open(server.host);
      expect(String(await contentOf(await client.getBlob(digest, { from: 2 })))).toBe("a blob");
      expect(blobs.requests).toHaveLength(1);
      expect(blobs.requests[0]?.headers).not.toHaveProperty("authorization");
      expect(blobs.requests[0]?.headers).toMatchObject({ range: "bytes=2-" });
    },
  );

  it("within a host keep them, and may be relative", async () => {
    await using server = await WebServer.start((request, response, recorded) => {
      if (recorded.url === "/moved") return void response.end("a blob");
      return leadingTo(() => "../../../moved")(request, response, recorded);
    });
    user.logIn({ [server.host]: "ann:secret" });
    await using client = await open(server.host);
    await contentOf(await client.getBlob(digest));
    expect(server.requests.at(-1)).toMatchObject({
      url: "/moved",
      headers: { authorization: expect.anything() },
    });
  });

  it("that come back from another host do not bring them back", async () => {
    await using detour = await WebServer.start((_request, response) => {
      response.writeHead(307, { location: `${server.url}/moved` }).end();
    });
    await using server: WebServer = await WebServer.start((request, response, recorded) => {
      if (recorded.url === "/moved") return void response.end("a blob");
      return leadingTo(() => detour.url)(request, response, recorded);
    });
    user.logIn({ [server.host]: "ann:secret" });
    await using client = await open(server.host);
    await contentOf(await client.getBlob(digest));
    expect(server.requests.at(-1)?.url).toBe("/moved");
    expect(server.requests.at(-1)?.headers).not.toHaveProperty("authorization");
  });

  it("to a host that wants to know who asks get no answer to that", async () => {
    await using thief: WebServer = await WebServer.start((_request, response) =>
      answerJson(response, 401, {}, { "www-authenticate": `Bearer realm="${thief.url}/token",service="s"` }),
    );
    await using server = await WebServer.start(leadingTo(() => thief.url));
    user.logIn({ [server.host]: "ann:secret", [thief.host]: "ann:other" });
    await using client = await open(server.host);
    await expect(client.getBlob(digest)).rejects.toMatchObject({ code: "FailedPrecondition" });
    expect(thief.requests).toHaveLength(1);
    expect(thief.requests[0]?.headers).not.toHaveProperty("authorization");
  });

  it("without end, and to nowhere, are errors", async () => {
    let target: string | undefined = "/v2/again";
    await using server = await WebServer.start((_request, response) => {
      response.writeHead(302, target === undefined ? {} : { location: target }).end();
    });
    await using client = await open(server.host);
    await expect(client.getBlob(digest)).rejects.toThrow("more than 10 redirects");
    target = undefined;
    await expect(client.getBlob(digest)).rejects.toThrow("redirects to nowhere");
  });
});

describe("uploads", () => {
  it("go where Location says, relative or on another host, which sees no credentials", async () => {
    await using store = await WebServer.start((request, response) => {
      request.resume();
      response.writeHead(201, { location: "/v2/app/blobs/x" }).end();
    });
    await using server = await WebServer.start((request, response, { method }) => {
      request.resume();
      if (request.headers.authorization === undefined) {
        return answerJson(response, 401, {}, { "www-authenticate": "Basic realm=x" });
      }
      if (method === "POST") return void response.writeHead(202, { location: "0/1?state=a%2Bb+c" }).end();
      response.writeHead(202, { location: `${store.url}/put?signature=a%2Fb`, range: "0-4" }).end();
    });
    user.logIn({ [server.host]: "ann:secret" });
    await using client = await open(server.host);
    const upload = await client.startUpload();
    await upload.append({ data: Buffer.from("first") });
    expect(server.log.at(-1)).toBe("PATCH /v2/app/blobs/uploads/0/1?state=a%2Bb+c");
    expect(server.requests.at(-1)?.headers).toMatchObject({ "content-range": "0-4", "content-length": "5" });
    await upload.finish(digest, { data: Buffer.from("second") });
    expect(store.log).toEqual([`PUT /put?signature=a%2Fb&digest=${encodeURIComponent(digest)}`]);
    expect(store.requests[0]?.headers).not.toHaveProperty("authorization");
    expect(store.requests[0]?.headers).toMatchObject({ "content-range": "5-10" });
  });
});
