import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { digestOf } from "@strata/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Client, codesOf, withQuery } from "./support/client.ts";
import { pushImage, sampleImage } from "./support/sample.ts";
import { expectSound, ServedStore, type ServedStoreOptions } from "./support/served-store.ts";

let served: ServedStore;

const start = async (options: ServedStoreOptions = {}): Promise<ServedStore> => {
  await served?.[Symbol.asyncDispose]();
  served = await ServedStore.start(options);
  return served;
};

beforeEach(async () => {
  served = await ServedStore.start();
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

/** Send a part of a body, and wait until so much of it has arrived; the request stays open. */
async function sendPart(location: string, part: Uint8Array, totalBytes: number): Promise<ClientRequest> {
  const sent = request(new URL(location, served.server.url), {
    method: "PATCH",
    headers: { "content-length": totalBytes },
  });
  sent.on("error", () => {});
  sent.write(part);
  await until(async () => (await arrived(location)) === part.length);
  return sent;
}

async function arrived(location: string): Promise<number> {
  const { headers } = await served.client.get(location);
  return Number(String(headers["range"]).slice(2)) + 1;
}

/** Send requests in one piece, so that the server begins them together. @returns the statuses of the answers */
async function sendAtOnce(
  ...requests: readonly (readonly [method: string, target: string, body: string])[]
): Promise<number[]> {
  const { hostname, port } = new URL(served.server.url);
  const socket = connect(Number(port), hostname);
  const sent = requests.map(([method, target, body], index) =>
    [
      `${method} ${target} HTTP/1.1`,
      "Host: x",
      `Content-Length: ${body.length}`,
      `Connection: ${index === requests.length - 1 ? "close" : "keep-alive"}`,
      `\r\n${body}`,
    ].join("\r\n"),
  );
  socket.write(sent.join(""));
  // A connection that is cut answers nothing.
  const answers = await text(socket).catch(() => "");
  return [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
}

async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error("it does not come true");
    await sleep(10);
  }
}

const staged = (root = served.store.root): string[] =>
  readdirSync(`${root}/ingest`, { recursive: true }).map(String).sort();

describe("an upload whose connection is cut", () => {
  it("goes on at the byte it had reached", async () => {
    const body = randomBytes(500_000);
    const location = await served.client.beginUpload("app");
    (await sendPart(location, body.subarray(0, 200_000), body.length)).destroy();
    const from = await arrived(location);
    expect(from).toBe(200_000);
    const rest = body.subarray(from);
    const headers = { "content-range": `${from}-${body.length - 1}` };
    expect((await served.client.ask("PATCH", location, { headers, body: rest })).status).toBe(202);
    const digest = digestOf(body);
    expect((await served.client.ask("PUT", withQuery(location, { digest }))).status).toBe(201);
    expect((await served.client.get(`/v2/app/blobs/${digest}`)).body.equals(body)).toBe(true);
    expect(served.errors).toEqual([]);
  });

  it("need not have noticed it: who sends last is heard", async () => {
    const body = randomBytes(300_000);
    const location = await served.client.beginUpload("app");
    const dead = await sendPart(location, body.subarray(0, 100_000), body.length);
    const ended = new Promise((resolve) => dead.on("close", resolve));
    const digest = digestOf(body);
    const headers = { "content-range": `100000-${body.length - 1}` };
    const target = withQuery(location, { digest });
    const answer = await served.client.ask("PUT", target, { headers, body: body.subarray(100_000) });
    expect(answer.status).toBe(201);
    await ended;
    expect((await served.client.get(`/v2/app/blobs/${digest}`)).body.equals(body)).toBe(true);
  });

  it("in one POST leaves nothing", async () => {
    const digest = digestOf("never complete");
    const sent = request(new URL(`/v2/app/blobs/uploads/?digest=${digest}`, served.server.url), {
      method: "POST",
      headers: { "content-length": 1000 },
    });
    sent.on("error", () => {});
    sent.write("a part");
    await until(() => staged().length === 3);
    sent.destroy();
    await until(() => staged().length === 2);
    expect(served.errors).toEqual([]);
  });
});

describe("requests on one upload at once", () => {
  const [first, second] = ["a".repeat(3000), "b".repeat(2000)];

  it("do not write into each other", async () => {
    const location = await served.client.beginUpload("app");
    await sendPart(location, Buffer.from(first), 5000);
    // Both wait for the end of that one.
    await sendAtOnce(["PATCH", location, second], ["PATCH", location, second]);
    const digest = digestOf(first + second + second);
    await served.client.ask("PUT", withQuery(location, { digest }));
    const { status, body } = await served.client.get(`/v2/app/blobs/${digest}`);
    if (status !== 404) expect(digestOf(body)).toBe(digest);
    await expectSound(served);
  });

  it("change nothing that one of them has ended", async () => {
    const location = await served.client.beginUpload("app");
    await served.client.ask("PATCH", location, { body: first });
    const digest = digestOf(first);
    const end = ["PUT", withQuery(location, { digest }), ""] as const;
    expect(await sendAtOnce(end, ["PATCH", location, second], end)).toEqual([201, 404, 404]);
    expect((await served.client.get(`/v2/app/blobs/${digest}`)).body.toString()).toBe(first);
    await expectSound(served);
  });

  it("are refused once one of them has cancelled it", async () => {
    const location = await served.client.beginUpload("app");
    expect(await sendAtOnce(["DELETE", location, ""], ["PATCH", location, first])).toEqual([204, 404]);
    await expectSound(served);
  });
});

describe("what was pushed and no manifest names", () => {
  it("is left alone by gc, is forgotten when the server ends, and leaves nothing", async () => {
    const root = served.store.root;
    const image = await sampleImage();
    await served.client.pushBlob("app", image.layer);
    await served.client.beginUpload("app");
    await served.store.gc();
    await pushImage(served.client, "app", "1", image);
    expect((await served.client.get("/v2/app/manifests/1")).status).toBe(200);
    const unnamed = await served.client.pushBlob("app", randomBytes(1000));
    await served.server.close();
    expect(staged(root)).toEqual([]);
    expect(readdirSync(`${root}/blobs/sha256`)).not.toContain(unnamed.slice(7));
  });

  it("is forgotten after a while, uploads too", async () => {
    await start({ keepMs: 200 });
    const location = await served.client.beginUpload("app");
    const digest = await served.client.pushBlob("app", randomBytes(1000));
    await until(async () => (await served.client.get(`/v2/app/blobs/${digest}`)).status === 404);
    await until(async () => (await served.client.ask("PATCH", location, { body: "a" })).status === 404);
    await until(() => staged().length === 2);
  });

  it("of an image that is removed meanwhile, is kept by a mount", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1", image);
    const digest = digestOf(image.layer);
    const target = withQuery("/v2/other/blobs/uploads/", { mount: digest, from: "app" });
    expect((await served.client.ask("POST", target)).status).toBe(201);
    await served.store.removeImages(["app:1"]);
    await served.store.gc();
    await served.client.pushBlob("other", image.config);
    expect((await served.client.putManifest("other", "1", image.manifest)).status).toBe(201);
    expect(await served.store.check()).toEqual([]);
    expect(staged()).toHaveLength(2);
  });

  it("is pushed anew where its blob was damaged", async () => {
    const image = await sampleImage();
    await pushImage(served.client, "app", "1", image);
    const path = `${served.store.root}/blobs/sha256/${digestOf(image.layer).slice(7)}`;
    const { writeFileSync } = await import("node:fs");
    writeFileSync(path, Buffer.alloc(image.layer.length));
    expect(await served.store.check()).toHaveLength(1);
    await pushImage(served.client, "app", "1", image);
    expect(await served.store.check()).toEqual([]);
  });
});

describe("a server that is killed", () => {
  it("leaves nothing of uploads after gc, nor do blobs that no manifest named", async () => {
    const image = await sampleImage();
    const root = served.store.root;
    const child = fork(join(import.meta.dirname, "fixtures", "server.mjs"), [root]);
    const [url] = await once(child, "message");
    const client = new Client(String(url));
    await pushImage(client, "app", "1", image);
    await client.pushBlob("app", randomBytes(5000));
    const location = await client.beginUpload("app");
    await client.ask("PATCH", location, { body: randomBytes(5000) });
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    client.close();
    expect(staged().length).toBeGreaterThan(1);

    await served.store.gc();
    expect(staged()).toEqual([]);
    expect(readdirSync(`${root}/blobs/sha256`)).toHaveLength(3);
    expect(await served.store.check()).toEqual([]);
    expect((await served.client.get("/v2/app/manifests/1")).status).toBe(200);
  });
});

describe("limits", () => {
  it("a blob may not be larger than it is told, whether it says so or not", async () => {
    await start({ maxBlobBytes: 1000 });
    const body = randomBytes(1001);
    for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
      const location = await served.client.beginUpload("app");
      const answer = await served.client.ask("PATCH", location, { headers, body });
      expect(answer.status).toBe(413);
      expect(codesOf(answer)).toEqual(["SIZE_INVALID"]);
    }
    const location = await served.client.beginUpload("app");
    await served.client.ask("PATCH", location, { body: body.subarray(0, 600) });
    expect((await served.client.ask("PATCH", location, { body: body.subarray(0, 401) })).status).toBe(413);
    expect((await served.client.ask("PATCH", location, { body: body.subarray(600, 1000) })).status).toBe(202);
  });

  it("there may be so many uploads at once", async () => {
    await start({ maxUploads: 2 });
    await served.client.beginUpload("app");
    const second = await served.client.beginUpload("app");
    const answer = await served.client.ask("POST", "/v2/app/blobs/uploads/");
    expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "10" } });
    await served.client.ask("DELETE", second);
    await served.client.beginUpload("app");
  });
});
