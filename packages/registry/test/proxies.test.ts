import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import type { Registries } from "@strata/registry";
import { parseReference } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { proxyFor } from "../src/http/proxy.ts";
import { Authority } from "./support/certificates.ts";
import { ConnectProxy } from "./support/connect-proxy.ts";
import { DockerRegistry } from "./support/docker-registry.ts";
import { pushSample } from "./support/sample.ts";
import { User } from "./support/user.ts";

let scratch: Scratch;
let user: User;

beforeEach(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterEach(() => scratch[Symbol.asyncDispose]());

/** The registry `registry.test`, which nobody but the proxy knows, as somebody sees it whose variables name the proxy. */
async function throughProxy(
  variables: Readonly<Record<string, string>>,
  settings: object,
): Promise<Registries> {
  return await user.open({
    registries: { "registry.test": settings },
    env: { ...user.env, ...variables },
    attempts: 1,
  });
}

const app = parseReference("registry.test/app:1");

describeWith("a proxy", ["docker-registry", "openssl"], () => {
  it("leads to a registry, whose certificate is still checked", async () => {
    const authority = await Authority.make(scratch);
    await using server = await DockerRegistry.start({ tls: await authority.issue("DNS:registry.test") });
    await using proxy = await ConnectProxy.start(`http://${server.host}`, "ann:secret");
    const variables = { HTTPS_PROXY: `http://ann:secret@127.0.0.1:${proxy.port}` };
    await using registries = await throughProxy(variables, { ca: authority.path });
    const sample = await pushSample(registries.repository(app), "1");
    expect((await registries.repository(app).getManifest("1")).digest).toBe(sample.digest);
    expect(new Set(proxy.targets)).toEqual(new Set(["registry.test:443"]));

    await using ignorant = await throughProxy(variables, {});
    await expect(ignorant.repository(app).getManifest("1")).rejects.toThrow("unknown authority");
  });

  it("leads to one that may be plain and is", async () => {
    await using server = await DockerRegistry.start();
    await using proxy = await ConnectProxy.start(server.url);
    const address = `127.0.0.1:${proxy.port}`;
    const variables = { http_proxy: address, https_proxy: address };
    await using registries = await throughProxy(variables, { insecure: true });
    await pushSample(registries.repository(app), "1");
    expect(proxy.targets).toContain("registry.test:80");
  });

  it("that refuses is named, without the password", async () => {
    await using proxy = await ConnectProxy.start("http://127.0.0.1:1", "ann:secret");
    await using registries = await throughProxy(
      { HTTPS_PROXY: `http://ann:wrong@127.0.0.1:${proxy.port}` },
      {},
    );
    await expect(registries.repository(app).getManifest("1")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: `https://registry.test: the proxy http://127.0.0.1:${proxy.port} refuses to connect to it (407); see HTTPS_PROXY, HTTP_PROXY and NO_PROXY`,
    });
  });

  it("that lets https alone pass is told of with the way out", async () => {
    await using proxy = await ConnectProxy.start("http://127.0.0.1:1", "ann:secret");
    const address = `127.0.0.1:${proxy.port}`;
    await using registries = await throughProxy(
      { HTTPS_PROXY: address, HTTP_PROXY: address },
      { insecure: true },
    );
    await expect(registries.repository(app).getManifest("1")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringMatching(/^http:\/\/registry\.test: the proxy .* list it in NO_PROXY/),
    });
  });

  it("is not asked for this machine", async () => {
    await using server = await DockerRegistry.start();
    await using proxy = await ConnectProxy.start(server.url);
    const address = `http://127.0.0.1:${proxy.port}`;
    await using registries = await throughProxy({ HTTP_PROXY: address, HTTPS_PROXY: address }, {});
    await pushSample(registries.repository(parseReference(`${server.host}/app`)), "1");
    expect(proxy.targets).toEqual([]);
  });
});

describe("which proxy", () => {
  const proxy = "http://proxy.test:3128";
  const of = (url: string, env: Readonly<Record<string, string>>) => proxyFor(new URL(url), env)?.origin;

  it("is that of the scheme, in small letters first", () => {
    expect(of("https://a.test", { HTTPS_PROXY: proxy })).toBe(proxy);
    expect(of("https://a.test", { HTTP_PROXY: proxy })).toBeUndefined();
    expect(of("http://a.test", { HTTP_PROXY: "other.test:1", http_proxy: "proxy.test:3128" })).toBe(proxy);
    expect(of("https://127.0.0.1:5000", { HTTPS_PROXY: proxy })).toBeUndefined();
    expect(() => of("https://a.test", { HTTPS_PROXY: "ftp://x" })).toThrow("HTTPS_PROXY: ftp://x");
  });

  it.each([
    ["*", "a.test", true],
    ["b.test, a.test", "a.test", true],
    ["a.test", "x.a.test", true],
    ["a.test", "xa.test", false],
    [".a.test", "a.test", false],
    [".a.test", "x.a.test", true],
    ["*.a.test", "x.a.test", true],
    ["a.test:5000", "a.test:5000", true],
    ["a.test:5000", "a.test", false],
    ["10.0.0.0/8", "10.1.2.3:5000", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3:443", "10.1.2.3", true],
    ["fd00::/8", "[fd00::1]", true],
    ["[fd00::1]:443", "[fd00::1]", true],
    ["10.0.0.0/99", "10.1.2.3", false],
    ["", "a.test", false],
  ])("with NO_PROXY=%s, %s is exempt: %s", (list, host, isExempt) => {
    expect(of(`https://${host}`, { HTTPS_PROXY: proxy, NO_PROXY: list }) === undefined).toBe(isExempt);
  });
});
