import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, get, request } from "node:http";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { selfSigned } from "./support/certificate.ts";
import { ServedStore } from "./support/served-store.ts";

/** Longer than any test: nothing here may wait for it. */
const graceMs = 2 ** 30;

let served: ServedStore;
let agent: Agent;

beforeEach(async () => {
  served = await ServedStore.start();
  agent = new Agent({ keepAlive: true });
});

afterEach(async () => {
  agent.destroy();
  await served[Symbol.asyncDispose]();
});

it("ends a connection with the answer that had begun", async () => {
  const blob = randomBytes(20_000_000);
  const digest = await served.client.pushBlob("app", blob);
  const sent = get(`${served.server.url}/v2/app/blobs/${digest}`, { agent });
  const [answer] = await once(sent, "response");
  expect(answer.headers.connection).toBe("keep-alive");
  const closed = served.server.close({ graceMs });
  expect((await buffer(answer)).equals(blob)).toBe(true);
  await closed;
});

it("says in an answer that had not begun that it is the last", async () => {
  const location = await served.client.beginUpload("app");
  const sent = request(new URL(location, served.server.url), {
    agent,
    method: "PATCH",
    headers: { "content-length": 5 },
  });
  sent.write("abc");
  while ((await served.client.get(location)).headers["range"] !== "0-2") {
    // Not there yet.
  }
  const closed = served.server.close({ graceMs });
  sent.end("de");
  const [answer] = await once(sent, "response");
  expect(answer.headers.connection).toBe("close");
  answer.resume();
  await closed;
});

/** A connection on which nothing is said. */
async function connectTo({ url }: { readonly url: string }): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

it("ends a connection on which nothing was ever asked", async () => {
  const ended = once(await connectTo(served.server), "close");
  // It was taken before this one.
  await served.client.get("/v2/");
  await served.server.close({ graceMs });
  await ended;
});

it("cuts off who does not even begin with TLS", async () => {
  await using encrypted = await ServedStore.start({ tls: selfSigned(served.scratch) });
  const silent = await connectTo(encrypted.server);
  const ended = once(silent, "close");
  await encrypted.server.close({ graceMs: 1 });
  await ended;
});
