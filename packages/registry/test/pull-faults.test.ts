import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { randomNumbers } from "@strata/conformance/suite";
import { isStrataError } from "@strata/core";
import { pull, type Registries } from "@strata/registry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hex, imageOf, sha256 } from "../../store/test/support/image.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { drivers, treeOf } from "../../store/test/support/store.ts";
import { contentOf } from "../../store/test/support/whole.ts";
import type { Fault } from "./support/faulty-proxy.ts";
import { Pulling, random as text } from "./support/pulling.ts";
import { answerTimeoutMs, randomFaults } from "./support/random-faults.ts";

const rounds = Number(process.env["STRATA_PULLS"] ?? 80);
const seed = Number(process.env["STRATA_SEED"] ?? Date.now() % 1e9);

const shared = { "etc/os-release": "base of all" };
const files = [shared, { "usr/a": text(300_000) }, { "usr/b": text(120_000) }, { "etc/c": "top" }];

/** So that no fault takes long. */
const hastily = { attempts: 3, maxDelayMs: 20, answerTimeoutMs, idleTimeoutMs: answerTimeoutMs };

/** What a pull may fail with here, where there is room and the store is in order. */
const codes = [
  "Aborted",
  "Busy",
  "Corrupt",
  "FailedPrecondition",
  "InvalidArgument",
  "NotFound",
  "Unsupported",
];

describeWith("pulls over a bad line", ["docker-registry"], () => {
  it.each(lasting)("end with what is wrong: %s", async (_title, fault, code, words) => {
    await using room = await Pulling.start();
    await using hasty = await room.user.open({ ...hastily, attempts: 2 });
    const remote = new Remote(await imageOf(files));
    await room.push(remote);
    const [layer = ""] = remote.layers;
    for (const [end, beginning] of [
      ["manifests/1", ""],
      [`blobs/${remote.image.id}`, "config of HOST/app:1: "],
      [`blobs/${layer}`, `layer ${layer} of HOST/app:1: `],
    ] as const) {
      room.proxy.fault = ({ url }) => (url.endsWith(end) ? fault : undefined);
      const error = await pull(room.opened.store, hasty, room.reference()).catch((reason: unknown) => reason);
      expectClear(error, room.server.host);
      expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
      const message = error instanceof Error ? error.message.replace(room.server.host, "HOST") : "";
      expect(message.slice(0, beginning.length)).toBe(beginning);
      expect(await room.opened.store.images()).toEqual([]);
      await room.expectSound();
    }
    room.calm();
    await room.pull();
    await room.expectWhole(remote, Object.assign({}, ...files));
  });

  describe.each(drivers)("with %s", (driver) => {
    let room: Pulling;
    let hasty: Registries;
    let remote: Remote;

    beforeAll(async () => {
      room = await Pulling.start(driver);
      hasty = await room.user.open(hastily);
      remote = new Remote(await imageOf(files));
      const kept = new Remote(await imageOf([shared, { own: "x" }]));
      await room.push(kept, "kept:1");
      await room.pull("kept:1");
      await room.push(remote);
    });
    afterAll(async () => {
      await hasty?.close();
      await room?.[Symbol.asyncDispose]();
    });

    it(`end right or with a clear error, ${rounds} times from seed ${seed}`, async () => {
      const tally: Record<string, number> = {};
      for (let round = 0; round < rounds; round++) {
        const outcome = await pullBadly(room, hasty, remote, seed + round).catch((error: unknown) => {
          throw new Error(`STRATA_SEED=${seed + round} STRATA_PULLS=1, with ${driver}`, { cause: error });
        });
        tally[outcome] = (tally[outcome] ?? 0) + 1;
      }
      console.info(`${driver}: ${rounds} pulls over a bad line, seed ${seed}: ${JSON.stringify(tally)}`);
      // A single round says nothing of all of them.
      if (rounds >= 50) expect(Object.keys(tally).length).toBeGreaterThan(2);
    });
  });
});

const page = "<html><body>Log in to use this network</body></html>";
const html = { "content-type": "text/html" };

/** What is wrong with each request, and what a pull says of it. */
const lasting: readonly (readonly [title: string, fault: Fault, code: string, words: RegExp])[] = [
  ["a cut before the answer", { kind: "cut", afterBytes: -1 }, "Aborted", /: the connection was cut/],
  ["a cut in the headers", { kind: "cut-headers" }, "Aborted", /: the connection was cut/],
  ["a cut after the headers", { kind: "cut", afterBytes: 0 }, "Aborted", /: the connection was cut/],
  ["silence", { kind: "delay", ms: 1500 }, "Aborted", /: no answer in time$/],
  ["an answer that stops", { kind: "stall", afterBytes: 0 }, "Aborted", /: the answer stopped coming$/],
  ["trouble of the server", { kind: "answer", status: 500, body: page }, "Aborted", / answers 500$/],
  ["being out of service", { kind: "answer", status: 503 }, "Busy", / answers 503$/],
  [
    "too many requests",
    { kind: "answer", status: 429, headers: { "retry-after": "7200" } },
    "Busy",
    / answers 429; try again in 7200 s$/,
  ],
  [
    "a refusal",
    { kind: "answer", status: 403, headers: html, body: page },
    "FailedPrecondition",
    /pull access denied for \S+\/app, repository does not exist or may require 'strata login': \S+ answers 403$/,
  ],
  ["wrong bytes", { kind: "flip", atByte: 30 }, "Corrupt", /digest/],
  [
    "a way to nowhere",
    { kind: "answer", status: 307, headers: { location: "http://127.0.0.1:1/" } },
    "Aborted",
    /\/app\/\S+ leads to http:\/\/127\.0\.0\.1:1\/: connection refused: nothing listens there$/,
  ],
  [
    "a way to the next room",
    { kind: "answer", status: 307, headers: { location: "http://10.0.0.1/" } },
    "FailedPrecondition",
    /\/app\/\S+ leads to http:\/\/10\.0\.0\.1: refused, as it is not encrypted/,
  ],
];

/** @returns "right", or the code of the error */
async function pullBadly(room: Pulling, hasty: Registries, remote: Remote, seed: number): Promise<string> {
  const { opened } = room;
  const random = randomNumbers(seed);
  const before = await contentOf(opened);
  room.calm();
  room.proxy.fault = randomFaults(seed, {
    of: 0.15 + random() * 0.5,
    sizeOf: (url) => remote.blobs.get(url.slice(url.lastIndexOf("/") + 1))?.length ?? remote.manifest.length,
  });
  const error = await pull(opened.store, hasty, room.reference()).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const reference = room.reference().toString();
  if (error === undefined) {
    const { digest } = await opened.store.resolve(reference);
    expect(digest).toBe(sha256(remote.manifest));
    expect(await treeOf(opened, reference)).toEqual(Object.assign({}, ...files));
    expect(room.partials).toEqual([]);
  } else {
    expectClear(error, room.server.host);
    expect(await contentOf(opened)).toEqual(before);
    expect(remote.layers.map(hex)).toEqual(expect.arrayContaining(room.partials));
    for (const digest of remote.layers)
      expect(room.arrived(digest)).toBeLessThanOrEqual(remote.blobs.get(digest)?.length ?? 0);
  }
  expect(readdirSync(join(opened.root, "ingest"))).toEqual([]);
  await room.expectSound();

  // What one round leaves must not harm the next: a third begin where it ended, a third after a good pull, a third anew.
  const next = random();
  if (error !== undefined && next > 0.33) {
    room.calm();
    await room.pull();
    await room.expectWhole(remote, Object.assign({}, ...files));
  }
  if (error === undefined || next > 0.33) await room.remove();
  if (next > 0.66) rmSync(join(opened.root, "downloads"), { recursive: true, force: true });
  return isStrataError(error) ? error.code : "right";
}

/** That people can do something with an error: it says what failed, and where. */
function expectClear(error: unknown, host: string): void {
  if (!isStrataError(error)) throw error;
  expect(codes).toContain(error.code);
  expect(error.message).toContain(host);
  expect(error.message).not.toMatch(/\n|undefined|NaN|\[object|\bat \S+:\d+:\d+|UND_ERR|<html/);
  expect(error.message.length).toBeLessThan(600);
}
