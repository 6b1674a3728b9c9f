import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { flip, GzipStore, only } from "./support/gzip-store.ts";
import { imageOf, layerOf } from "./support/image.ts";
import { oci } from "./support/layouts.ts";
import { archiveOf, loadImages } from "./support/load.ts";
import type { OpenedStore } from "./support/store.ts";
import { tarOf } from "./support/tar.ts";

let gzip: GzipStore;
let opened: OpenedStore;

beforeEach(async () => {
  gzip = await GzipStore.make();
  opened = gzip.opened;
});

afterEach(async () => {
  await gzip[Symbol.asyncDispose]();
});

describe("check", () => {
  it("names some differences, and counts the others", async () => {
    for (let n = 0; n < 8; n++) await writeFile(await gzip.unpacked(2, `usr/${n}`), "");
    const { message } = await only(opened.store.check());
    expect(message.match(/only in the first/g)).toHaveLength(4);
    expect(message).toContain("; and 4 more; repair the store");
  });

  it("reports progress, and can be aborted", async () => {
    const subjects: string[] = [];
    await opened.store.check({ onProgress: (subject) => subjects.push(subject) });
    expect(subjects).toContain(`layer ${gzip.image.diffIds[0]} of base:1`);
    const reason = new Error("enough");
    await expect(opened.store.check({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await opened.store.gc()).toMatchObject({ removed: 0 });
  });

  it.each([
    ["damaged", flip],
    ["damaged", (path: string) => truncate(path, 10)],
    ["missing", (path: string) => rm(path)],
  ])("finds the blob of a layer %s; loading again mends it", async (state, damage) => {
    const path = await gzip.blobOf(1);
    await damage(path);
    const { subject, message } = await only(opened.store.check());
    expect(subject).toBe(`blob sha256:${path.slice(-64)}`);
    expect(message).toContain(`layer of base:1 is ${state}`);
    expect(message).toContain("load or pull base:1 again");
    expect((await only(opened.store.repair())).message).toContain("load or pull base:1 again");
    await opened.store.load(gzip.archive);
    expect(await opened.store.check()).toEqual([]);
  });

  it("expects no owners where none were to be set", async () => {
    const name = "own/file";
    const layer = await layerOf({}, [{ name, uid: 1234, gid: 1234, mode: 0o600 }]);
    const archive = await archiveOf(gzip.scratch, [{ image: await imageOf([layer]), tags: ["owned:1"] }]);
    await opened.store.load(archive, { ignoreOwnership: true });
    expect(await opened.store.check()).toEqual([]);
  });

  it("quickly finds what is missing or has another size, and nothing else", async () => {
    await flip(await gzip.blobOf(0));
    expect(await opened.store.check({ quick: true })).toEqual([]);
    await truncate(await gzip.blobOf(1), 10);
    await rm(await gzip.blobOf(2));
    expect(await opened.store.check({ quick: true })).toHaveLength(2);
  });

  it.each([
    ["config", () => gzip.image.id],
    ["manifest", async () => (await opened.store.resolve("base:1")).digest],
  ])("finds a damaged %s; loading again mends it", async (what, digest) => {
    await flip(gzip.blobFile(await digest()));
    expect((await only(opened.store.check({ quick: true }))).message).toContain(
      `${what} of base:1 is damaged`,
    );
    await expect(opened.store.gc()).rejects.toMatchObject({ code: "Corrupt" });
    await opened.store.repair();
    await opened.store.load(gzip.archive);
    expect(await opened.store.check()).toEqual([]);
    expect(await opened.store.gc()).toMatchObject({ removed: 0 });
  });

  it("an image whose documents are damaged can be removed", async () => {
    await flip(gzip.blobFile(gzip.image.id));
    const [removal] = await opened.store.removeImages(["base:1"]);
    expect(removal?.error).toBeUndefined();
    expect((await opened.store.gc()).removed).toBeGreaterThan(0);
    expect(await opened.store.usage()).toMatchObject({ blobs: { count: 0 }, images: { count: 0 } });
  });

  it("finds containers without their snapshot", async () => {
    const { id, name } = await opened.store.createContainer("base:1");
    await opened.driver.remove(id);
    const { subject, message } = await only(opened.store.check());
    expect(subject).toBe(`container ${name}`);
    expect(message).toContain("its snapshot is gone");
    await opened.store.removeContainer(name);
    expect(await opened.store.check()).toEqual([]);
  });

  it("does not take garbage for damage", async () => {
    await writeFile(gzip.blobFile(`sha256:${"0".repeat(64)}`), "nobody's");
    const lost = await opened.driver.prepare("f".repeat(64));
    await lost.commit(`sha256:${"1".repeat(64)}`);
    expect(await opened.store.check()).toEqual([]);
  });
});

describe("repair", () => {
  it("makes the blob of what was committed here anew from its files", async () => {
    const { id } = await opened.store.createContainer("base:1");
    await writeFile(join(await opened.store.mountContainer(id), "file"), "content");
    const made = await opened.store.commit(id);
    const { manifest } = await opened.store.resolve(made.id);
    const blob = gzip.blobFile(manifest.layers.at(-1)?.digest ?? "");
    const bytes = await readFile(blob);
    await flip(blob);
    expect(await opened.store.repair()).toEqual([]);
    expect(await readFile(blob)).toEqual(bytes);
    await rm(blob);
    expect(await opened.store.repair()).toEqual([]);
    expect(await opened.store.check()).toEqual([]);
  });

  it("does not make up the blob of what another tool wrote", async () => {
    const image = await imageOf([{ "b/file": "before its directory", "b/": "" }]);
    await loadImages(gzip.scratch, opened, [{ image, tags: ["other:1"] }]);
    const { manifest } = await opened.store.resolve("other:1");
    await flip(gzip.blobFile(manifest.layers[0]?.digest ?? ""));
    expect((await only(opened.store.repair())).message).toContain("load or pull other:1 again");
    expect((await only(opened.store.check())).message).toContain("layer of other:1 is missing");
    await loadImages(gzip.scratch, opened, [{ image, tags: ["other:1"] }]);
    expect(await opened.store.check()).toEqual([]);
  });

  it("waits for the containers above to be unmounted", async () => {
    const { id, name } = await opened.store.createContainer("base:1");
    await opened.store.mountContainer(id);
    await flip(await gzip.unpacked(2, "usr/tool"));
    expect((await only(opened.store.repair())).message).toContain(
      `unmount ${name}, and repair the store again`,
    );
    await opened.store.unmountContainer(id);
    expect(await opened.store.repair()).toEqual([]);
    expect(await opened.store.check()).toEqual([]);
  });

  it("is done once", async () => {
    await flip(await gzip.unpacked(2, "usr/tool"));
    expect(await opened.store.repair()).toEqual([]);
    const { ino } = await stat(await gzip.unpacked(2, "usr/tool"));
    expect(await opened.store.repair()).toEqual([]);
    expect((await stat(await gzip.unpacked(2, "usr/tool"))).ino).toBe(ino);
  });
});

it("a layer that came as two blobs is compared once, and both blobs are looked at", async () => {
  const again = gzip.scratch.join("again.tar");
  const compress = (tar: Buffer) => gzipSync(tar, { level: 1, memLevel: 1 });
  await writeFile(again, await tarOf(oci([{ image: gzip.image, tags: ["again:1"] }], { compress })));
  await opened.store.load(again);
  const digests = ["base:1", "again:1"].map(
    async (name) => (await opened.store.resolve(name)).manifest.layers[0]?.digest,
  );
  const [one = "", two = ""] = await Promise.all(digests);
  expect(one).not.toBe(two);
  for (const digest of [one, two]) await flip(gzip.blobFile(digest));
  expect((await opened.store.check()).map(({ subject }) => subject).sort()).toEqual(
    [`blob ${one}`, `blob ${two}`].sort(),
  );
});
