import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { digestOf } from "@strata/core";
import type { RequestRecord } from "@strata/server";
import { afterEach, expect, it } from "vitest";
import { pushImage, sampleImage } from "./support/sample.ts";
import { ServedStore, type ServedStoreOptions } from "./support/served-store.ts";

let served: ServedStore;

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

async function start(options: ServedStoreOptions = {}): Promise<ServedStore> {
  served = await ServedStore.start(options);
  return served;
}

/** The answer, of which nothing was read yet, on a connection of its own. */
async function open(path: string): Promise<IncomingMessage> {
  const sent = request(new URL(path, served.server.url), { agent: false }).end();
  const [response] = await once(sent, "response");
  return response;
}

async function digestOfStream(stream: IncomingMessage): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

it("gives 200 clients at once the right bytes, without holding them in memory", async () => {
  const { client } = await start();
  const blob = randomBytes(3 * 2 ** 20);
  const image = await sampleImage({ files: { blob } });
  await pushImage(client, "app", "1", image);
  const before = process.memoryUsage();
  let most = 0;
  const pull = async (): Promise<void> => {
    const manifest = await open("/v2/app/manifests/1");
    expect(await digestOfStream(manifest)).toBe(image.digest);
    const layer = await open(`/v2/app/blobs/${digestOf(image.layer)}`);
    // All are under way before the first is read: what the server reads ahead is in memory now.
    most = Math.max(most, process.memoryUsage().arrayBuffers - before.arrayBuffers);
    expect(await digestOfStream(layer)).toBe(digestOf(image.layer));
  };
  await Promise.all(Array.from({ length: 200 }, pull));
  // 600 MB were sent.
  expect(most).toBeLessThan(200 * 2 ** 20);
  expect(served.errors).toEqual([]);
});

it("takes 50 pushes at once, of which many have the same layer", async () => {
  const { client, store } = await start();
  const images = await Promise.all(
    Array.from({ length: 50 }, (_, index) => sampleImage({ files: { a: `layer ${index % 5}` } })),
  );
  await Promise.all(images.map((image, index) => pushImage(client, `app${index % 7}`, `v${index}`, image)));
  const listed = await store.images();
  expect(listed.flatMap(({ references }) => references)).toHaveLength(50);
  expect(listed).toHaveLength(5);
  await store.gc();
  expect(await store.check()).toEqual([]);
  expect(served.errors).toEqual([]);
});

it("cuts connections on which nothing moves: before the headers, within a body, and within an answer", async () => {
  const { scratch, store } = await start({ idleMs: 300, headersMs: 300 });
  const { layer } = await sampleImage({ files: { large: randomBytes(32 * 2 ** 20) } });
  writeFileSync(scratch.join("large.tar"), layer);
  await store.import(scratch.join("large.tar"));
  const digest = digestOf(layer);
  const { hostname, port } = new URL(served.server.url);
  for (const text of [
    "",
    "GET /v2/ HTTP/1.1\r\nHost: a\r\n",
    "POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na",
    `GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: a\r\n\r\n`,
  ]) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(text);
    if (text.includes("/blobs/sha256")) {
      // It takes what the kernel holds for it and no more; that the server has gone shows once it reads on.
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    await once(socket, "close");
    expect(received).toBeLessThan(32 * 2 ** 20);
  }
  expect((await served.client.get("/v2/")).status).toBe(200);
  expect(served.errors).toEqual([]);
});

it("bounds headers", async () => {
  await start();
  const answer = await served.client.get("/v2/", { "x-large": "a".repeat(100_000) });
  expect(answer.status).toBe(431);
});

it("ends after what is under way, and takes nothing new", async () => {
  const { client, server } = await start();
  const bytes = randomBytes(32 * 2 ** 20);
  const digest = await client.pushBlob("app", bytes);
  const slow = await open(`/v2/app/blobs/${digest}`);
  const closed = server.close();
  await expect(open("/v2/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(await digestOfStream(slow)).toBe(digest);
  await closed;
  await server.close();
});

it("cuts off what does not end in time", async () => {
  const { client, server } = await start();
  const digest = await client.pushBlob("app", randomBytes(32 * 2 ** 20));
  const slow = await open(`/v2/app/blobs/${digest}`);
  await server.close({ graceMs: 100 });
  await expect(digestOfStream(slow)).rejects.toThrow("aborted");
});

it("says that a port is taken, or an address none of this host's", async () => {
  const { server } = await start();
  const port = Number(new URL(server.url).port);
  await expect(ServedStore.start({ port })).rejects.toMatchObject({
    code: "FailedPrecondition",
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
  await expect(ServedStore.start({ address: "192.0.2.1" })).rejects.toMatchObject({
    code: "InvalidArgument",
  });
});

it.each([
  ["127.0.0.1", true],
  ["localhost", true],
  ["127.0.0.9", true],
  ["0.0.0.0", false],
  ["", false],
])("at %j it knows whether others reach it: %j", async (address, isLocal) => {
  const { server } = await start({ address });
  expect(server.isLocal).toBe(isLocal);
  expect((await fetch(`${server.url}/v2/`)).status).toBe(200);
});

it("tells of each request when it is over", async () => {
  const records: RequestRecord[] = [];
  const { client } = await start({ onRequest: (record) => records.push(record) });
  await client.get("/v2/");
  await client.get("/v2/app/tags/list?n=2");
  const digest = await client.pushBlob("app", randomBytes(1000));
  await client.get(`/v2/app/blobs/${digest}`, { range: "bytes=0-99" });
  await client.ask("HEAD", `/v2/app/blobs/${digest}`);
  await client.ask("PUT", "/v2/app/manifests/1", { body: "{}" });
  expect(records).toMatchObject([
    { method: "GET", url: "/v2/", status: 200, remoteAddress: "127.0.0.1", receivedBytes: 0, sentBytes: 2 },
    { method: "GET", url: "/v2/app/tags/list?n=2", status: 404 },
    { method: "POST", status: 201, receivedBytes: 1000, sentBytes: 0 },
    { method: "GET", status: 206, receivedBytes: 0, sentBytes: 100 },
    { method: "HEAD", status: 200, sentBytes: 0 },
    { method: "PUT", status: 400, receivedBytes: 2 },
  ]);
});
