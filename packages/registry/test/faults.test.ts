import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { faultOf, type RegistryClient } from "@strata/registry";
import { parseReference } from "@strata/store";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DockerRegistry } from "./support/docker-registry.ts";
import { type Fault, FaultyProxy } from "./support/faulty-proxy.ts";
import { describeWith } from "./support/needs.ts";
import { contentOf, pushSample, type Sample } from "./support/sample.ts";
import { type OpenUserOptions, User } from "./support/user.ts";
import { answerJson, WebServer } from "./support/web-server.ts";

const layerBytes = 300_000;

let scratch: Scratch;
let user: User;

beforeAll(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterAll(() => scratch[Symbol.asyncDispose]());

async function open(host: string, options: OpenUserOptions = {}): Promise<RegistryClient & AsyncDisposable> {
  const registries = await user.open(options);
  return Object.assign(registries.repository(parseReference(`${host}/app`)), {
    [Symbol.asyncDispose]: () => registries.close(),
  });
}

describeWith("a bad line to docker-registry", ["docker-registry"], () => {
  let server: DockerRegistry;
  let sample: Sample;

  beforeAll(async () => {
    server = await DockerRegistry.start();
    await using client = await open(server.host);
    sample = await pushSample(client, "1", { layerBytes });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  beforeEach(() => {
    server.proxy.requests.length = 0;
    server.proxy.fault = () => undefined;
  });

  /** Let the first requests fail so. */
  function failing(times: number, fault: Fault): void {
    server.proxy.fault = ({ count }) => (count <= times ? fault : undefined);
  }

  it.each([500, 502, 503, 504, 429, 408])("asks again after %i, until it is right", async (status) => {
    failing(2, { kind: "answer", status });
    await using client = await open(server.host);
    expect((await client.getManifest("1")).digest).toBe(sample.digest);
    expect(server.proxy.requests).toHaveLength(3);
  });

  it("asks so often and no more, and tells the last trouble", async () => {
    failing(100, {
      kind: "answer",
      status: 500,
      body: '{"errors":[{"code":"UNKNOWN","message":"it\\nburns"}]}',
    });
    await using client = await open(server.host, { attempts: 3 });
    await expect(client.getManifest("1")).rejects.toMatchObject({
      code: "Aborted",
      message: expect.stringMatching(/: unknown: it burns$/),
    });
    expect(server.proxy.requests).toHaveLength(3);
  });

  it.each([400, 403, 404, 501])("does not ask again after %i", async (status) => {
    failing(100, { kind: "answer", status });
    await using client = await open(server.host);
    await expect(client.getManifest("1")).rejects.toThrow(String(status));
    expect(server.proxy.requests).toHaveLength(1);
  });

  it.each([
    ["seconds", () => "1"],
    ["a date", () => new Date(Date.now() + 3000).toUTCString()],
  ])("waits as long as Retry-After asks, in %s", async (_form, after) => {
    failing(1, { kind: "answer", status: 429, headers: { "retry-after": after() } });
    await using client = await open(server.host, { maxDelayMs: 5000 });
    const asked = client.getManifest("1");
    // Without it, the second request would come after a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.proxy.requests).toHaveLength(1);
    expect((await asked).digest).toBe(sample.digest);
    expect(server.proxy.requests).toHaveLength(2);
  });

  it("does not wait longer than it may, and says how long it would have been", async () => {
    failing(100, { kind: "answer", status: 429, headers: { "retry-after": "3600" } });
    await using client = await open(server.host);
    const error = await client.getManifest("1").catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "Busy", message: expect.stringContaining("; try again in 3600 s") });
    expect(faultOf(error)).toMatchObject({ status: 429, retryAfterMs: 3_600_000 });
    expect(server.proxy.requests).toHaveLength(1);
  });

  it("stops waiting when its caller gives up", async () => {
    failing(100, { kind: "answer", status: 429, headers: { "retry-after": "20" } });
    await using client = await open(server.host);
    const controller = new AbortController();
    const asked = client.getManifest("1", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(asked).rejects.toThrow("enough");
  });

  it.each([-1, 0, 10])("asks again where a document is cut after %i bytes", async (afterBytes) => {
    failing(2, { kind: "cut", afterBytes });
    await using client = await open(server.host);
    expect((await client.getManifest("1")).digest).toBe(sample.digest);
  });

  it("asks again where an answer does not come in time", async () => {
    failing(1, { kind: "delay", ms: 3000 });
    await using client = await open(server.host, { answerTimeoutMs: 500 });
    expect((await client.getManifest("1")).digest).toBe(sample.digest);
    expect(server.proxy.requests).toHaveLength(2);
  });

  it("tells wrong bytes of a manifest by its digest", async () => {
    failing(100, { kind: "flip", atByte: 30 });
    await using client = await open(server.host);
    await expect(client.getManifest("1")).rejects.toMatchObject({ code: "Corrupt" });
    await expect(client.getManifest(sample.digest)).rejects.toThrow(
      /^manifest for \S+@sha256:\w+: what \S+ sent has the digest sha256:\w+, not sha256:\w+$/,
    );
  });

  it("breaks a stream off where the line is cut, and goes on from there", async () => {
    failing(1, { kind: "cut", afterBytes: 100_000 });
    await using client = await open(server.host);
    const blob = await client.getBlob(sample.layerDigest);
    const parts: Buffer[] = [];
    const read = async () => {
      for await (const chunk of blob.stream) parts.push(chunk);
    };
    await expect(read()).rejects.toMatchObject({ code: "Aborted" });
    const reached = Buffer.concat(parts).length;
    expect(reached).toBeLessThanOrEqual(100_000);
    const rest = await client.getBlob(sample.layerDigest, { from: reached });
    parts.push(await contentOf(rest));
    expect(digestOf(Buffer.concat(parts))).toBe(sample.layerDigest);
  });

  it("breaks a stream off that stops", async () => {
    failing(1, { kind: "stall", afterBytes: 1000 });
    await using client = await open(server.host, { idleTimeoutMs: 500 });
    const blob = await client.getBlob(sample.layerDigest);
    await expect(contentOf(blob)).rejects.toMatchObject({
      code: "Aborted",
      message: expect.stringContaining("the answer stopped coming"),
    });
  });

  it("does not take a slow reader for a stopped stream", async () => {
    await using client = await open(server.host, { idleTimeoutMs: 300 });
    const { stream } = await client.getBlob(sample.layerDigest);
    let bytes = 0;
    for await (const chunk of stream) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 1500));
      bytes += chunk.length;
    }
    expect(bytes).toBe(layerBytes);
  });

  it("ends a stream when its caller gives up", async () => {
    failing(1, { kind: "stall", afterBytes: 1000 });
    await using client = await open(server.host);
    const controller = new AbortController();
    const blob = await client.getBlob(sample.layerDigest, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(contentOf(blob)).rejects.toThrow("enough");
  });

  it("tells from where a server sends that does not know of parts", async () => {
    failing(1, { kind: "ignore-range" });
    await using client = await open(server.host);
    const blob = await client.getBlob(sample.layerDigest, { from: 1000 });
    expect(blob).toMatchObject({ from: 0, total: layerBytes });
    expect(await contentOf(blob)).toEqual(sample.layer);
  });

  it("breaks off where less comes than was promised", async () => {
    failing(1, { kind: "lie", byBytes: 10 });
    await using client = await open(server.host);
    await expect(contentOf(await client.getBlob(sample.layerDigest))).rejects.toMatchObject({
      code: "Aborted",
    });
  });

  it("gives no more than was promised, and goes on", async () => {
    failing(1, { kind: "lie", byBytes: -10 });
    await using client = await open(server.host);
    const blob = await client.getBlob(sample.layerDigest);
    const content = await contentOf(blob).catch(() => Buffer.alloc(0));
    expect(content.length).toBeLessThanOrEqual(layerBytes - 10);
    expect(await contentOf(await client.getBlob(sample.layerDigest))).toEqual(sample.layer);
  });

  it("asks again to push a manifest, but not with a part of a blob", async () => {
    await using client = await open(server.host);
    failing(2, { kind: "answer", status: 503 });
    expect(await client.putManifest("2", sample.manifest)).toBe(sample.digest);
    const upload = await client.startUpload();
    failing(1, { kind: "answer", status: 503 });
    await expect(upload.append({ data: Buffer.from("a part") })).rejects.toMatchObject({ code: "Busy" });
    // After too many requests nothing has been begun.
    server.proxy.fault = ({ method, count }) =>
      method === "PATCH" && count <= 2 ? { kind: "answer", status: 429 } : undefined;
    await upload.append({ data: Buffer.from("a part") });
    expect(await upload.status()).toBe(6);
  });

  it("makes no more connections than it may", async () => {
    await using proxy = await FaultyProxy.start(server.proxy.url);
    proxy.fault = () => ({ kind: "delay", ms: 20 });
    await using client = await open(proxy.host, { connectionsPerHost: 3 });
    await Promise.all(Array.from({ length: 30 }, () => client.headBlob(sample.layerDigest)));
    // One more was made to see whether it speaks TLS.
    expect(proxy.connections.most).toBe(3);
    expect(proxy.connections.made).toBeLessThanOrEqual(4);
  });
});

describe("a bad server", () => {
  it("is not read without end", async () => {
    await using server = await WebServer.start((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) {}
      };
      response.on("drain", more);
      more();
    });
    await using client = await open(server.host);
    await expect(client.getManifest("1")).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("longer than 4194304 bytes"),
    });
  });

  it("is told of in one line, whatever it says", async () => {
    await using server = await WebServer.start((_request, response) => {
      const message = `\u001b[31mred\r\n${"x".repeat(5000)}`;
      answerJson(response, 400, { errors: [{ code: "NAME_INVALID", message }, { nonsense: true }] });
    });
    await using client = await open(server.host);
    const error = await client.getManifest("1").catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(/^manifest for \S+: name invalid: \[31mred x{400,}…$/),
    });
  });

  it("that sends another part than was asked for is refused", async () => {
    await using server = await WebServer.start((_request, response) => {
      response.writeHead(206, { "content-range": "bytes 20-24/25" }).end("bytes");
    });
    await using client = await open(server.host);
    await expect(client.getBlob(digestOf("x"), { from: 10 })).rejects.toThrow(
      "another part than was asked for",
    );
  });

  it("that has only schema 1 is named so", async () => {
    await using server = await WebServer.start((_request, response) => {
      const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
      response.writeHead(200, { "content-type": type }).end("{}");
    });
    await using client = await open(server.host);
    await expect(client.getManifest("1")).rejects.toMatchObject({ code: "Unsupported" });
    expect(server.requests[0]?.headers.accept).toBe(
      "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json",
    );
  });

  it("that is none says so", async () => {
    await using server = await WebServer.start((_request, response) => void response.writeHead(404).end());
    await using registries = await user.open();
    await expect(registries.host(server.host).ping()).rejects.toMatchObject({ code: "Unsupported" });
  });

  it("that is not there is told of after some tries", async () => {
    const server = await WebServer.start(() => {});
    const { host } = server;
    await server[Symbol.asyncDispose]();
    await using client = await open(host, { attempts: 2 });
    await expect(client.getManifest("1")).rejects.toMatchObject({
      code: "Aborted",
      message: `http://${host}/v2/app/manifests/1: connection refused: nothing listens there`,
    });
  });

  it("that keeps an upload tells how far it is after a cut, and refuses another offset", async () => {
    let kept = 0;
    await using server = await WebServer.start(async (request, response, { method }) => {
      if (method === "POST") return void response.writeHead(202, { location: "/up", range: "0-0" }).end();
      if (method === "GET")
        return void response.writeHead(204, { location: "/up", range: `0-${kept - 1}` }).end();
      if (request.headers["content-range"]?.startsWith(`${kept}-`) !== true)
        return answerJson(response, 416, {});
      for await (const chunk of request) kept += chunk.length;
      response.writeHead(202, { location: "/up", range: `0-${kept - 1}` }).end();
    });
    await using proxy = await FaultyProxy.start(server.url);
    await using client = await open(proxy.host);
    const data = Buffer.alloc(500_000, 1);
    const upload = await client.startUpload();
    proxy.fault = ({ method }) =>
      method === "PATCH" ? { kind: "cut-request", afterBytes: 200_000 } : undefined;
    await expect(upload.append({ data })).rejects.toMatchObject({ code: "Aborted" });
    proxy.fault = () => undefined;
    const error = await upload.append({ data }).catch((error: unknown) => error);
    expect(faultOf(error)?.status).toBe(416);
    expect(await upload.status()).toBe(200_000);
    await upload.append({ data: data.subarray(200_000) });
    expect(upload.offset).toBe(500_000);
  });
});
