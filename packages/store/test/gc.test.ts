import { link, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FileLock } from "@strata/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hex, imageOf, sha256, type TestImage } from "./support/image.ts";
import { descriptorOf, ociBlobs } from "./support/layouts.ts";
import { loadImages } from "./support/load.ts";
import { drivers, listing, type OpenedStore, openStore, Scratch, unmountAll } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

let scratch: Scratch;
let opened: OpenedStore;
let image: TestImage;

async function start(driver = drivers[0]): Promise<void> {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), driver);
  image = await imageOf([{ base: "base" }, { more: "more" }]);
  await loadImages(scratch, opened, [{ image, tags: ["base:1"] }]);
  await opened.store.createContainer("base:1", { name: "web" });
  // As the first download leaves it.
  await mkdir(path("downloads"));
}

afterEach(async () => {
  await unmountAll(opened);
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const digest = (digit: string): `sha256:${string}` => `sha256:${digit.repeat(64)}`;
const path = (...names: string[]): string => join(opened.root, ...names);

/** Leaves each kind of garbage, as a killed process would. */
async function litter(): Promise<void> {
  await writeFile(path("blobs", "sha256", "0".repeat(64)), "a".repeat(10_000));
  await writeFile(path("blobs", "sha256", "unfinished"), "a");
  await writeFile(path("index.json.tmp"), "{");
  await writeFile(path("downloads", "0".repeat(64)), "a".repeat(10_000));
  await writeFile(path("containers", `${"0".repeat(64)}.json.tmp`), "{");
  // Staging whose owner is dead, with a blob on its way in and an active snapshot.
  const dead = path("ingest", "00000000deadbeef");
  await mkdir(dead);
  await writeFile(join(dead, "owner"), "");
  await writeFile(join(dead, "1"), "a".repeat(10_000));
  const actives = ["ingest-00000000deadbeef-0"];
  await writeFile(
    join(dead, "holds.json"),
    JSON.stringify({ driver: opened.driver.name, chains: [digest("a")], actives }),
  );
  await opened.driver.prepare(String(actives[0]));
  await mkdir(path("ingest", "00000000deadbee2"));
  // Layers of no image, one on top of the other; containers without a record.
  await (await opened.driver.prepare("x")).commit(digest("a"));
  await (await opened.driver.prepare("x", digest("a"))).commit(digest("b"));
  await opened.driver.prepare("c".repeat(64), digest("b"));
  const mounted = await opened.driver.prepare("d".repeat(64));
  await mounted.mount({ persistent: true });
  await opened.driver.prepare("ingest-00000000deadbee3-7");
}

describe.each(drivers)("gc under %s", (driver) => {
  beforeEach(() => start(driver));

  it("removes all that nothing owns, and nothing else", async () => {
    const before = await listing(opened.root);
    expect(await unowned(opened)).toEqual([]);
    await litter();
    expect(await unowned(opened)).not.toEqual([]);
    const { bytes, removed } = await opened.store.gc();
    expect(bytes).toBeGreaterThanOrEqual(30_000);
    expect(removed).toBeGreaterThanOrEqual(11);
    expect(await unowned(opened)).toEqual([]);
    expect(await listing(opened.root)).toEqual(before);
    expect(await opened.store.gc()).toEqual({ removed: 0, bytes: 0 });
    expect(await opened.store.check()).toEqual([]);
  });
});

describe("gc", () => {
  beforeEach(() => start());

  it("leaves alone what a living process has begun", async () => {
    const alive = path("ingest", "00000000000a11fe");
    await mkdir(alive);
    using _owner = await FileLock.take(join(alive, "owner"), "exclusive");
    const key = "ingest-00000000000a11fe-0";
    const holds = { driver: opened.driver.name, chains: [digest("a")], actives: [key, "e".repeat(64)] };
    await writeFile(join(alive, "holds.json"), JSON.stringify(holds));
    await (await opened.driver.prepare("x")).commit(digest("a"));
    for (const active of holds.actives) await opened.driver.prepare(active);
    const before = await listing(opened.root);
    expect(await opened.store.gc()).toEqual({ removed: 0, bytes: 0 });
    expect(await listing(opened.root)).toEqual(before);
    expect(await opened.store.usage()).toMatchObject({ staging: { count: 1, active: 1 } });
  });

  it("keeps what other programs put into the image layout", async () => {
    const foreign = await imageOf([{ other: "other" }]);
    const blobs = ociBlobs(foreign);
    for (const blob of blobs) await writeFile(path("blobs", "sha256", hex(sha256(blob))), blob);
    const manifest = descriptorOf(
      blobs.at(-1) ?? Buffer.alloc(0),
      "application/vnd.oci.image.manifest.v1+json",
    );
    const { manifests } = JSON.parse(await readFile(path("index.json"), "utf8"));
    await writeFile(
      path("index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [...manifests, manifest] }),
    );
    expect(await opened.store.gc()).toEqual({ removed: 0, bytes: 0 });
    await opened.store.removeContainer("web");
    await opened.store.removeImages(["base:1"]);
    expect((await listing(path("blobs", "sha256"))).length).toBe(blobs.length);
  });

  it("never removes what stands outside the store", async () => {
    const outside = scratch.join("outside");
    await mkdir(outside);
    await writeFile(join(outside, "file"), "mine");
    await symlink(outside, path("blobs", "sha256", "1".repeat(64)));
    await link(join(outside, "file"), path("blobs", "sha256", "2".repeat(64)));
    await opened.store.gc();
    expect(await listing(outside)).toEqual(["/file"]);
    expect(await unowned(opened)).toEqual([]);
  });

  it("aborted, removes nothing, and can be run again", async () => {
    await litter();
    const before = await listing(opened.root);
    const reason = new Error("enough");
    await expect(opened.store.gc({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await listing(opened.root)).toEqual(before);
    await opened.store.gc();
    expect(await unowned(opened)).toEqual([]);
  });
});

describe("disk usage", () => {
  beforeEach(() => start());

  it("counts each layer once, and what could be given back", async () => {
    const other = await imageOf([{ base: "base" }, { own: "other's own" }]);
    await loadImages(scratch, opened, [{ image: other, tags: ["other:1"] }]);
    const mounted = await opened.store.mountContainer("web");
    await writeFile(join(mounted, "file"), "x".repeat(100_000));
    const stopped = await opened.store.createContainer("base:1");
    const usage = await opened.store.usage();
    expect(usage.images).toEqual({ count: 2, active: 1, bytes: 4 + 4 + 11, reclaimable: 11 });
    expect(usage.perImage).toEqual(
      expect.arrayContaining([
        { id: image.id, references: ["docker.io/library/base:1"], bytes: 8, sharedBytes: 4, containers: 2 },
        { id: other.id, references: ["docker.io/library/other:1"], bytes: 15, sharedBytes: 4, containers: 0 },
      ]),
    );
    expect(usage.containers).toMatchObject({ count: 2, active: 1 });
    expect(usage.containers.bytes).toBeGreaterThanOrEqual(100_000);
    expect(usage.containers.reclaimable).toBeLessThan(100_000);
    expect(usage.perContainer.map(({ name }) => name)).toEqual([stopped.name, "web"]);
    expect(usage.blobs).toMatchObject({ count: 7, active: 7, reclaimable: 0 });
    expect(usage.staging).toEqual({ count: 0, active: 0, bytes: 0, reclaimable: 0 });

    await rename(path("blobs", "sha256", hex(other.id)), scratch.join("kept"));
    await expect(opened.store.usage()).rejects.toMatchObject({ code: "Corrupt" });
    await rename(scratch.join("kept"), path("blobs", "sha256", hex(other.id)));
    await opened.store.unmountContainer("web");
    await litter();
    const littered = await opened.store.usage();
    expect(littered.blobs).toMatchObject({ count: 9, active: 7 });
    expect(littered.blobs.reclaimable).toBeGreaterThanOrEqual(10_000);
    expect(littered.staging).toMatchObject({ count: 3, active: 0 });
    expect(littered.staging.reclaimable).toBeGreaterThanOrEqual(20_000);
    await opened.store.gc();
    expect(await opened.store.usage()).toMatchObject({ blobs: { reclaimable: 0 }, staging: { count: 0 } });
  });
});
