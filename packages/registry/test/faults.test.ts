import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { digestOf } from "@strata/core";
import { faultOf } from "@strata/registry";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { DockerRegistry } from "./support/docker-registry.ts";
import { type Fault, FaultyProxy } from "./support/faulty-proxy.ts";
import { contentOf, pushSample, type Sample } from "./support/sample.ts";
import { User } from "./support/user.ts";

const layerBytes = 300_000;

let scratch: Scratch;
let user: User;

beforeAll(() => {
  scratch = new Scratch();
  user = new User(scratch);
});
afterAll(() => scratch[Symbol.asyncDispose]());

const open: User["openApp"] = (host, options) => user.openApp(host, options);

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
