import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { parseReference } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DockerRegistry } from "./support/docker-registry.ts";
import { FaultyProxy } from "./support/faulty-proxy.ts";
import { contentOf, listOf, pushSample } from "./support/sample.ts";
import { User } from "./support/user.ts";
import { answerJson, type Handler, WebServer } from "./support/web-server.ts";

let scratch: Scratch;
let user: User;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

const missing: Handler = (_request, response) =>
  answerJson(response, 404, { errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] });

/** Holds one manifest, whatever it is asked for, that tells who gave it. */
function holding(name: string): Handler {
  return (request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/vnd.oci.image.manifest.v1+json" }).end(name);
  };
}

describe("mirrors", () => {
  it("are asked in their order, then the registry, each with a note", async () => {
    await using first = await WebServer.start(missing);
    await using second = await WebServer.start((_request, response) => answerJson(response, 500, {}));
    await using registry = await WebServer.start(holding("registry"));
    const mirrors = [first.url, second.url];
    await using registries = await user.open({ registries: { [registry.host]: { mirrors } } });
    const client = registries.repository(parseReference(`${registry.host}/team/app`));
    expect(String((await client.getManifest("1")).bytes)).toBe("registry");
    expect(first.log).toEqual(["GET /v2/team/app/manifests/1"]);
    expect(second.log).not.toHaveLength(0);
    expect(user.notices).toEqual([
      `mirror ${first.url} is passed over: manifest for ${registry.host}/team/app:1 not found: manifest unknown: manifest unknown`,
      expect.stringContaining(`mirror ${second.url} is passed over: `),
    ]);
  });

  it("of docker.io spare it the request, and may keep its repositories below a path", async () => {
    await using mirror = await WebServer.start(holding("mirror"));
    await using registries = await user.open({
      registries: { "docker.io": { mirrors: [`${mirror.url}/hub/cache/`] } },
    });
    const debian = registries.repository(parseReference("debian"));
    expect(String((await debian.getManifest("12")).bytes)).toBe("mirror");
    expect(mirror.log).toEqual(["GET /v2/hub/cache/library/debian/manifests/12"]);
  });

  it("that do not answer are not asked again", async () => {
    await using silent = await WebServer.start((request) => void request.socket.destroy());
    await using registry = await WebServer.start(holding("registry"));
    await using registries = await user.open({ registries: { [registry.host]: { mirrors: [silent.url] } } });
    const client = registries.repository(parseReference(`${registry.host}/app`));
    for (let round = 0; round < 5; round++) await client.getManifest("1");
    // Tried twice, the first time.
    expect(silent.requests).toHaveLength(2);
    expect(user.notices).toEqual([expect.stringContaining("the connection was cut")]);
  });

  it("get their own credentials, never the registry's", async () => {
    const asking: Handler = (_request, response) =>
      answerJson(response, 401, {}, { "www-authenticate": 'Basic realm="a test"' });
    await using stranger = await WebServer.start(asking);
    await using friend = await WebServer.start(asking);
    await using registry = await WebServer.start(asking);
    const mirrors = [stranger.url, friend.url];
    user.logIn({ [registry.host]: "ann:secret", [friend.host]: "ann:other" });
    await using registries = await user.open({ registries: { [registry.host]: { mirrors } } });
    const client = registries.repository(parseReference(`${registry.host}/app`));
    await expect(client.getManifest("1")).rejects.toThrow("pull access denied");
    const shown = (server: WebServer) =>
      server.requests
        .flatMap(({ headers }) => headers.authorization ?? [])
        .map((text) => atob(text.slice(6)));
    expect(shown(stranger)).toEqual([]);
    expect(shown(friend)).toEqual(["ann:other"]);
    expect(shown(registry)).toEqual(["ann:secret"]);
  });

  it("are not asked by who pushes, nor for what one of them sent wrong", async () => {
    await using mirror = await WebServer.start(holding("mirror"));
    await using registry = await WebServer.start(holding("registry"));
    await using registries = await user.open({ registries: { [registry.host]: { mirrors: [mirror.url] } } });
    const reference = parseReference(`${registry.host}/app`);
    const pushing = registries.repository(reference, { access: "push" });
    expect(String((await pushing.getManifest("1")).bytes)).toBe("registry");
    const pulling = registries.repository(reference);
    expect(String((await pulling.getManifest("1", { mirrors: false })).bytes)).toBe("registry");
    // The digest is looked at here already: the mirror's manifest is another.
    expect((await pulling.getManifest(digestOf("registry"))).digest).toBe(digestOf("registry"));
    await pulling
      .putManifest("1", { bytes: Buffer.from("registry"), mediaType: "text/plain" })
      .catch(() => {});
    expect(mirror.requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  it("stand in for lists only when the registry is out of reach", async () => {
    await using mirror = await WebServer.start((_request, response) =>
      answerJson(response, 200, { tags: ["of-mirror"] }),
    );
    const registry = await WebServer.start((_request, response) =>
      answerJson(response, 200, { tags: ["of-registry"] }),
    );
    const reference = parseReference(`${registry.host}/app`);
    const registries = { [registry.host]: { mirrors: [mirror.url] } };
    await using before = await user.open({ registries, attempts: 1 });
    expect(await listOf(before.repository(reference).tags())).toEqual(["of-registry"]);
    await registry[Symbol.asyncDispose]();
    await using after = await user.open({ registries, attempts: 1 });
    expect(await listOf(after.repository(reference).tags())).toEqual(["of-mirror"]);
  });

  it("do not hide that their user gave up", async () => {
    await using mirror = await WebServer.start(() => {});
    await using registry = await WebServer.start(holding("registry"));
    await using registries = await user.open({ registries: { [registry.host]: { mirrors: [mirror.url] } } });
    const client = registries.repository(parseReference(`${registry.host}/app`));
    const controller = new AbortController();
    const asked = client.getManifest("1", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 200);
    await expect(asked).rejects.toThrow("enough");
    expect(registry.requests).toEqual([]);
    expect(user.notices).toEqual([]);
  });
});

describeWith("a pull-through docker-registry", ["docker-registry"], () => {
  it("gives what the registry has, and what it kept when that is gone", async () => {
    await using registry = await DockerRegistry.start();
    await using direct = await user.open();
    const reference = parseReference(`${registry.host}/library/app:1`);
    const sample = await pushSample(direct.repository(reference), "1");
    await using mirror = await DockerRegistry.start({ mirrorOf: registry.url });
    // A name for the registry that is its own line, to be cut while the mirror's stays.
    await using line = await FaultyProxy.start(registry.url);
    line.fault = () => ({ kind: "cut", afterBytes: -1 });
    await using registries = await user.open({ registries: { [line.host]: { mirrors: [mirror.url] } } });
    const client = registries.repository(parseReference(`${line.host}/library/app`));
    expect((await client.getManifest("1")).digest).toBe(sample.digest);
    expect(await contentOf(await client.getBlob(sample.layerDigest))).toEqual(sample.layer);
    expect(line.requests).toEqual([]);
  });
});
