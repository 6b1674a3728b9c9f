import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { LayerProgress } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { flip } from "./support/gzip-store.ts";
import { hex, imageOf, sha256 } from "./support/image.ts";
import { mixedImage, mixedTree } from "./support/load.ts";
import { inPieces, Remote } from "./support/remote.ts";
import { allDrivers, drivers, type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

let scratch: Scratch;
let opened: OpenedStore;

async function start(driver = drivers[0]): Promise<void> {
  scratch = await Scratch.make(driver);
  opened = await openStore(scratch.join("store"), driver);
}

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const reference = "registry.test/sample:1";
const random = (bytes: number): string => randomBytes(bytes / 2).toString("hex");
const blobFile = (digest = ""): string => join(opened.root, "blobs/sha256", hex(digest));
const downloads = async (): Promise<string[]> =>
  existsSync(join(opened.root, "downloads")) ? await readdir(join(opened.root, "downloads")) : [];

/** Whether a snapshot that is being made has a file by now. */
async function isUnpacked(name: string): Promise<boolean> {
  for await (const { id } of opened.driver.list({ kind: "active" })) {
    const { dir } = (await opened.driver.open(id)).layout();
    if (existsSync(join(dir, name))) return true;
  }
  return false;
}

describe.each(allDrivers)("receive under %s", (driver) => {
  beforeEach(() => start(driver));

  it("brings an image in under its own digests, and leaves nothing else", async () => {
    const remote = new Remote(await mixedImage());
    const [received] = await opened.store.receive([remote.as([reference])]);
    expect(received).toMatchObject({ id: remote.image.id, references: [reference] });
    const { digest, manifestBytes } = await opened.store.resolve(reference);
    expect(digest).toBe(sha256(remote.manifest));
    expect(manifestBytes.equals(remote.manifest)).toBe(true);
    expect(await treeOf(opened, reference)).toEqual(mixedTree);
    expect(await opened.store.check()).toEqual([]);
    expect(await downloads()).toEqual([]);
    expect(await readdir(join(opened.root, "ingest"))).toEqual([]);
    expect(await unowned(opened)).toEqual([]);
    const asked = remote.askedLayers.toSorted((a, b) => a.layer - b.layer);
    expect(asked).toEqual([0, 1, 2].map((layer) => ({ layer, from: 0 })));
  });

  it("does not ask for what is here", async () => {
    const base = { base: random(5000) };
    const first = new Remote(await imageOf([base, { own: "first" }]));
    const second = new Remote(await imageOf([base, { own: "second" }]));
    await opened.store.receive([first.as([reference])]);
    await opened.store.receive([second.as(["registry.test/second:1"])]);
    expect(second.askedLayers).toEqual([{ layer: 1, from: 0 }]);
    const asked = second.asked.length;
    const statuses: string[] = [];
    await opened.store.receive([second.as([reference])], {
      onProgress: (event) => {
        if (event.kind === "layer") statuses.push(event.status);
      },
    });
    expect(second.asked).toHaveLength(asked);
    expect(statuses).toEqual(["exists", "exists"]);
    expect((await opened.store.resolve(reference)).id).toBe(second.image.id);
  });

  it("unpacks from the first bytes on, while the others have not come", async () => {
    const files = { first: "1", rest: random(200_000), last: "2" };
    const remote = new Remote(await imageOf([files, { upper: random(1000) }]));
    let seen = false;
    const image = remote.as([reference], async function* (bytes, { digest }) {
      if (digest !== remote.layers[0]) {
        yield bytes;
        return;
      }
      yield bytes.subarray(0, 100_000);
      await expect.poll(() => isUnpacked("first"), { timeout: 20_000 }).toBe(true);
      seen = !(await isUnpacked("last"));
      yield bytes.subarray(100_000);
    });
    await opened.store.receive([image]);
    expect(seen).toBe(true);
    expect(await treeOf(opened, reference)).toEqual({ ...files, upper: expect.anything() });
  });

  it("goes on where an earlier one broke off", async () => {
    const remote = new Remote(await imageOf([{ a: random(20_000) }, { b: random(40_000) }]));
    const cut = remote.as([reference], async function* (bytes, asked) {
      const isSecond = asked.digest === remote.layers[1];
      yield* inPieces()(isSecond ? bytes.subarray(0, 7000) : bytes, asked, AbortSignal.abort());
      // So that the first has come by then.
      await setTimeout(isSecond ? 200 : 0);
      if (isSecond) throw new Error("connection reset");
    });
    await expect(opened.store.receive([cut])).rejects.toThrow("connection reset");
    expect(await opened.store.images()).toEqual([]);
    expect((await downloads()).sort()).toEqual(remote.layers.map(hex).sort());
    remote.asked.length = 0;
    await opened.store.receive([remote.as([reference])]);
    expect(remote.askedLayers).toEqual([{ layer: 1, from: 7000 }]);
    expect(await opened.store.check()).toEqual([]);
    expect(await unowned(opened)).toEqual([]);
  });

  it("once more from the first byte, if what was here was wrong", async () => {
    const files = { a: random(20_000) };
    const remote = new Remote(await imageOf([files]));
    const [digest = ""] = remote.layers;
    await opened.store.receive([new Remote(await mixedImage()).as(["registry.test/other:1"])]);
    // As a power cut leaves it: the size is right, the bytes are not.
    for (const [size, asked] of [
      [5000, [5000, 0]],
      [remote.blobs.get(digest)?.length ?? 0, [0]],
      [50_000, [0]],
    ] as const) {
      remote.asked.length = 0;
      await writeFile(join(opened.root, "downloads", hex(digest)), Buffer.alloc(size));
      await opened.store.receive([remote.as([reference])]);
      expect(remote.askedLayers.map(({ from }) => from)).toEqual(asked);
      expect(await treeOf(opened, reference)).toEqual(files);
      expect(await unowned(opened)).toEqual([]);
      await opened.store.removeImages([reference]);
      await opened.store.gc();
    }
  });

  it("brings a blob anew that is gone or short, without unpacking its layer", async () => {
    const remote = new Remote(await mixedImage());
    await opened.store.receive([remote.as([reference])]);
    await rm(blobFile(remote.layers[0]));
    await writeFile(blobFile(remote.layers[2]), "");
    await writeFile(blobFile(remote.image.id), "{}");
    remote.asked.length = 0;
    await opened.store.receive([remote.as([reference])]);
    expect(remote.askedLayers.map(({ layer }) => layer).sort()).toEqual([0, 2]);
    expect(await opened.store.check()).toEqual([]);
  });
});

// The layers of btrfs cannot simply be deleted.
describe.each(drivers)("receive under %s", (driver) => {
  beforeEach(() => start(driver));

  it("brings a damaged blob anew, where no layer is unpacked", async () => {
    const remote = new Remote(await mixedImage());
    await opened.store.receive([remote.as([reference])]);
    await flip(blobFile(remote.layers[1]));
    await opened.driver.close();
    await rm(join(opened.root, "drivers"), { recursive: true });
    await using other = await openStore(opened.root, driver);
    remote.asked.length = 0;
    await other.store.receive([remote.as([reference])]);
    expect(remote.askedLayers).toEqual([{ layer: 1, from: 0 }]);
    expect(await treeOf(other, reference)).toEqual(mixedTree);
    expect(await other.store.check()).toEqual([]);
  });
});

describe("receive", () => {
  beforeEach(() => start());

  it("asks once for a layer that an image has twice, or two images have", async () => {
    const twice = { same: random(3000) };
    const remote = new Remote(await imageOf([twice, { other: "x" }, twice]));
    const second = new Remote(await imageOf([twice, { second: "x" }]));
    await opened.store.receive([remote.as([reference]), second.as(["registry.test/second:1"])]);
    expect(remote.asked.filter(({ digest }) => digest === remote.layers[0])).toHaveLength(1);
    expect(second.askedLayers.map(({ layer }) => layer)).toEqual([1]);
    expect(await opened.store.images()).toHaveLength(2);
  });

  it("downloads so many at the same time, in the manifest's order", async () => {
    const remote = new Remote(await imageOf([1, 2, 3, 4, 5].map((n) => ({ [`f${n}`]: random(5000) }))));
    for (const downloads of [1, 2, undefined]) {
      let running = 0;
      let most = 0;
      remote.asked.length = 0;
      const image = remote.as([reference], async function* (bytes) {
        running += 1;
        most = Math.max(most, running);
        await setTimeout(30);
        yield bytes;
        running -= 1;
      });
      await opened.store.receive([image], downloads === undefined ? {} : { downloads });
      expect(most).toBe(downloads ?? 3);
      const asked = remote.askedLayers.map(({ layer }) => layer);
      // Of those that begin at the same time, any may be the first to ask.
      expect(downloads === 1 ? asked : asked.toSorted()).toEqual([0, 1, 2, 3, 4]);
      await opened.store.removeImages([reference]);
    }
    await expect(opened.store.receive([remote.as([reference])], { downloads: 0 })).rejects.toThrow(TypeError);
  });

  it("tells of each layer what is done about it, in order", async () => {
    const remote = new Remote(await imageOf([{ a: random(300_000) }, { b: random(1000) }]));
    const events: LayerProgress[] = [];
    const image = remote.as([reference], async function* (bytes) {
      for (let at = 0; at < bytes.length; at += 50_000) {
        yield bytes.subarray(at, at + 50_000);
        await setTimeout(60);
      }
    });
    await opened.store.receive([image], {
      onProgress: (event) => {
        if (event.kind === "layer") events.push(event);
      },
    });
    for (const digest of remote.layers) {
      const own = events.filter(({ label }) => label === hex(digest).slice(0, 12));
      const order = ["waiting", "downloading", "downloaded", "unpacking", "done"];
      const places = own.map(({ status }) => order.indexOf(status));
      expect(places).toEqual(places.toSorted());
      expect(new Set(own.map(({ status }) => status))).toContain("downloaded");
      const total = remote.blobs.get(digest)?.length;
      expect(own.every(({ totalBytes }) => totalBytes === total)).toBe(true);
      expect(own.at(-1)).toMatchObject({ status: "done", bytes: total });
    }
    const arrived = events.filter(({ status }) => status === "downloading").map(({ bytes }) => bytes);
    expect(arrived.length).toBeGreaterThan(2);
  });

  it("gc leaves a running download alone, and removes one that was broken off; usage counts both", async () => {
    const remote = new Remote(await imageOf([{ a: random(40_000) }]));
    const { store } = opened;
    let usage: unknown;
    const image = remote.as([reference], async function* (bytes) {
      yield bytes.subarray(0, 10_000);
      await expect.poll(downloads).toHaveLength(1);
      expect(await store.gc()).toEqual({ removed: 0, bytes: 0 });
      usage = (await store.usage()).staging;
      yield bytes.subarray(10_000);
    });
    await store.receive([image]);
    expect(usage).toMatchObject({ count: 2, active: 2 });
    await store.removeImages([reference]);
    await store.gc();

    const cut = remote.as([reference], function* (bytes) {
      yield bytes.subarray(0, 10_000);
      throw new Error("cut");
    });
    await expect(store.receive([cut])).rejects.toThrow("cut");
    const { staging } = await store.usage();
    expect(staging).toMatchObject({ count: 1, active: 0 });
    expect(staging.reclaimable).toBeGreaterThanOrEqual(10_000);
    expect((await store.gc()).bytes).toBeGreaterThanOrEqual(10_000);
    expect(await downloads()).toEqual([]);
    expect(await unowned(opened)).toEqual([]);
    remote.asked.length = 0;
    await store.receive([remote.as([reference])]);
    expect(remote.askedLayers).toEqual([{ layer: 0, from: 0 }]);
  });

  it("writes the bytes of a blob once", async () => {
    const remote = new Remote(await imageOf([{ a: random(40_000) }]));
    let inode: number | undefined;
    const image = remote.as([reference], async function* (bytes) {
      yield bytes.subarray(0, 10_000);
      await expect.poll(downloads).toHaveLength(1);
      inode = (await stat(join(opened.root, "downloads", hex(remote.layers[0] ?? "")))).ino;
      yield bytes.subarray(10_000);
    });
    await opened.store.receive([image]);
    expect((await stat(blobFile(remote.layers[0]))).ino).toBe(inode);
  });

  it("forgets what is left of a blob that was published before its process was killed", async () => {
    const remote = new Remote(await mixedImage());
    await opened.store.receive([remote.as([reference])]);
    const blob = blobFile(remote.layers[0]);
    await link(blob, join(opened.root, "downloads", hex(remote.layers[0] ?? "")));
    const before = await readFile(blob);
    expect(await opened.store.gc()).toEqual({ removed: 1, bytes: 0 });
    expect((await readFile(blob)).equals(before)).toBe(true);
  });
});
