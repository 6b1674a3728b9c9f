import { setTimeout } from "node:timers/promises";
import { describeWith } from "@strata/conformance";
import { randomNumbers } from "@strata/conformance/suite";
import { pull } from "@strata/registry";
import { afterEach, expect, it } from "vitest";
import { imageOf } from "../../store/test/support/image.ts";
import { Remote } from "../../store/test/support/remote.ts";
import { allDrivers, drivers } from "../../store/test/support/store.ts";
import { Pulling, random as text } from "./support/pulling.ts";
import { TransferProcess } from "./support/transfer-process.ts";

const kills = Number(process.env["STRATA_KILLS"] ?? 4);
const seed = Number(process.env["STRATA_SEED"] ?? Date.now() % 1e9);

const files = [{ base: text(4_000_000) }, { upper: text(2_000_000) }, { top: "top" }];
const tree = Object.assign({}, ...files);

/** On a busy machine, too. */
const soon = { timeout: 60_000 };

/** What a stream holds at most that nobody has read yet. */
const unread = 128 * 1024;

let room: Pulling;
let remote: Remote;

afterEach(() => room[Symbol.asyncDispose]());

async function start(driver = drivers[0]): Promise<void> {
  room = await Pulling.start(driver);
  remote = new Remote(await imageOf(files), 1);
  await room.push(remote);
}

const sizeOf = (digest = ""): number => remote.blobs.get(digest)?.length ?? 0;

/** From which byte on a blob was asked for, each time. */
const askedFrom = (digest = ""): number[] =>
  room.blobRequests().flatMap((request) => (request.digest === digest ? [request.from] : []));

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describeWith("an interrupted pull", ["docker-registry"], () => {
  it("goes on by itself where a connection breaks off, time and again", async () => {
    await start();
    const [layer] = remote.layers;
    const ends = [300_000, 400_000, 1, 0, 500_000];
    room.failBlob(layer, ({ count }) => {
      const afterBytes = ends[count - 1];
      return afterBytes === undefined ? undefined : { kind: "cut", afterBytes };
    });
    await room.pull();
    await room.expectWhole(remote, tree);
    const asked = askedFrom(layer);
    expect(asked).toHaveLength(ends.length + 1);
    // Each time from the byte that it had reached; what it had not read when the connection ended comes twice.
    expect(asked[0]).toBe(0);
    for (const [index, from] of asked.slice(1).entries()) {
      const sent = (asked[index] ?? 0) + (ends[index] ?? 0);
      expect(from).toBeGreaterThanOrEqual(Math.max(asked[index] ?? 0, sent - unread));
      expect(from).toBeLessThanOrEqual(sent);
    }
  });

  it("goes on by itself where an answer ends too early, or never goes on", async () => {
    await start();
    await using hasty = await room.user.open({ idleTimeoutMs: 500 });
    const [layer, second] = remote.layers;
    room.proxy.fault = ({ url, count }) => {
      if (count > 1) return undefined;
      if (url.endsWith(`/${layer}`)) return { kind: "stall", afterBytes: 100_000 };
      if (!url.endsWith(`/${second}`)) return undefined;
      const change = ({ status, headers, body }: { status: number; headers: object; body: Buffer }) => ({
        status,
        headers: { ...headers, "content-length": "5000" },
        body: body.subarray(0, 5000),
      });
      return { kind: "change", change };
    };
    await pull(room.opened.store, hasty, room.reference());
    await room.expectWhole(remote, tree);
    expect(askedFrom(layer)).toEqual([0, 100_000]);
    expect(askedFrom(second)).toEqual([0, 5000]);
  });

  it("gives up when nothing more comes, as often as a request is tried, and keeps what has come", async () => {
    await start();
    await using patient = await room.user.open({ attempts: 3 });
    const [layer] = remote.layers;
    room.failBlob(layer, ({ count }) => ({ kind: "cut", afterBytes: count === 1 ? 70_000 : 0 }));
    await expect(pull(room.opened.store, patient, room.reference())).rejects.toMatchObject({
      code: "Aborted",
      message: expect.stringMatching(/^layer sha256:\w+ of \S+\/app:1: http:\/\/\S+: the connection was cut/),
    });
    const reached = room.arrived(layer);
    expect(askedFrom(layer)).toEqual([0, reached, reached]);
    room.calm();
    await room.pull();
    expect(askedFrom(layer)).toEqual([reached]);
    await room.expectWhole(remote, tree);
  });

  it("goes on after an abort", async () => {
    await start();
    const [layer] = remote.layers;
    const controller = new AbortController();
    const held = gate();
    room.failBlob(layer, () => ({ kind: "hold", afterBytes: 1_000_000, until: held.opened }));
    const pulling = room.pull("app:1", { signal: controller.signal });
    await expect.poll(() => room.arrived(layer), soon).toBe(1_000_000);
    controller.abort(new Error("enough"));
    await expect(pulling).rejects.toThrow("enough");
    held.open();
    await room.expectSound();
    expect(await room.opened.store.images()).toEqual([]);
    room.calm();
    await room.pull();
    expect(askedFrom(layer)).toEqual([1_000_000]);
    await room.expectWhole(remote, tree);
  });

  it.each(allDrivers)(
    `goes on in another process, however often one is killed, with %s (seed ${seed})`,
    async (driver) => {
      await start(driver);
      const random = randomNumbers(seed);
      const reached = new Map(remote.layers.map((digest) => [digest, 0]));
      for (let kill = 0; kill < kills; kill += 1) {
        room.proxy.requests.length = 0;
        room.proxy.fault = () => ({ kind: "slow", ms: 2 });
        const child = await TransferProcess.start(room, room.reference().toString());
        await expect.poll(() => room.blobRequests(), soon).not.toEqual([]);
        await setTimeout(random() * 250);
        await child.kill();
        expect(await room.opened.store.check()).toEqual([]);
        for (const digest of remote.layers) {
          const before = reached.get(digest) ?? 0;
          expect([[], [before]]).toContainEqual(askedFrom(digest));
          expect(room.arrived(digest)).toBeGreaterThanOrEqual(before);
          reached.set(digest, room.arrived(digest));
        }
        if ((await room.opened.store.images()).length > 0) break;
      }
      expect(reached.get(remote.layers[0] ?? "")).toBeGreaterThan(0);
      room.calm();
      const last = await TransferProcess.start(room, room.reference().toString());
      expect(await last.end()).toBe(0);
      for (const [digest, from] of reached) {
        expect(from === sizeOf(digest) ? [[]] : [[], [from]]).toContainEqual(askedFrom(digest));
      }
      await room.opened.store.gc();
      await room.expectWhole(remote, tree);
    },
    Math.max(120_000, kills * 10_000),
  );
});

describeWith("a pull beside others", ["docker-registry"], () => {
  it("of the same image in other processes transfers each layer once", async () => {
    await start();
    room.proxy.fault = () => ({ kind: "slow", ms: 2 });
    const name = room.reference().toString();
    const children = await Promise.all([1, 2].map(() => TransferProcess.start(room, name)));
    const [own] = await Promise.all([room.pull(), ...children.map((child) => child.end())]);
    expect(own.id).toBe(remote.image.id);
    for (const child of children) expect(await child.end()).toBe(0);
    for (const digest of remote.layers) expect(askedFrom(digest)).toEqual([0]);
    await room.opened.store.gc();
    await room.expectWhole(remote, tree);
  });

  it("is not harmed by gc", async () => {
    await start();
    room.proxy.fault = () => ({ kind: "slow", ms: 2 });
    let isDone = false;
    let rounds = 0;
    const collect = async () => {
      for (; !isDone; rounds += 1) await room.opened.store.gc();
    };
    const pulling = room.pull().finally(() => {
      isDone = true;
    });
    await Promise.all([pulling, collect()]);
    expect(rounds).toBeGreaterThan(2);
    for (const digest of remote.layers) expect(askedFrom(digest)).toEqual([0]);
    await room.expectWhole(remote, tree);
  });
});
