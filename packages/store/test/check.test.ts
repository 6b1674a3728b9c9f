import { appendFile, chmod, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chainIds, type Digest, type Problem } from "@strata/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hex, imageOf, type TestImage } from "./support/image.ts";
import { oci } from "./support/layouts.ts";
import { drivers, type OpenedStore, openStore, Scratch, treeOf, unmountAll } from "./support/store.ts";
import { tarOf } from "./support/tar.ts";

const tree = { "etc/conf": "upper", "etc/old": "x", "usr/tool": "tool" };

let scratch: Scratch;
let opened: OpenedStore;
let image: TestImage;
let archive: string;

/** A store with an image of gzip layers, which can be loaded again from `archive`. */
async function start(driver = drivers[0]): Promise<void> {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"), driver);
  image = await imageOf([
    { "etc/": "", "etc/conf": "lower", "etc/old": "x", "etc/gone": "x" },
    { "etc/conf": "upper", "etc/.wh.gone": "" },
    { "usr/": "", "usr/tool": "tool" },
  ]);
  archive = scratch.join("archive.tar");
  await writeFile(archive, await tarOf(oci([{ image, tags: ["base:1"] }])));
  await opened.store.load(archive);
}

afterEach(async () => {
  await unmountAll(opened);
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

function chainOf(layer: number): Digest {
  return chainIds(image.diffIds.map((id): Digest => `sha256:${hex(id)}`))[layer] ?? `sha256:${layer}`;
}

/** A file of an unpacked layer. */
async function unpacked(layer: number, name: string): Promise<string> {
  return join((await opened.driver.open(chainOf(layer))).layout().dir, name);
}

async function blobOf(layer: number): Promise<string> {
  const { manifest } = await opened.store.resolve("base:1");
  return blobFile(manifest.layers[layer]?.digest ?? "");
}

const blobFile = (digest: string): string => join(opened.root, "blobs", "sha256", hex(digest));

/** Change a file without changing its size or time. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  await writeFile(path, bytes);
}

async function only(problems: Promise<Problem[]>): Promise<Problem> {
  const [problem, ...others] = await problems;
  expect(others).toEqual([]);
  if (problem === undefined) throw new Error("no problem was found");
  return problem;
}

const damages: readonly [what: string, says: string, damage: () => Promise<void>][] = [
  ["content, at the same size", "/etc/conf: content", async () => flip(await unpacked(0, "etc/conf"))],
  ["a longer file", "/etc/conf: size", async () => appendFile(await unpacked(0, "etc/conf"), "!")],
  ["an empty file, as after a power cut", "size", async () => truncate(await unpacked(0, "etc/old"))],
  ["a mode", "/etc/old: mode 0600, 0644", async () => chmod(await unpacked(0, "etc/old"), 0o600)],
  ["a time", "/etc/old: mtime", async () => utimes(await unpacked(0, "etc/old"), 1, 1)],
  ["a missing file", "/etc/old: only in the second", async () => rm(await unpacked(0, "etc/old"))],
  ["a file too many", "/etc/new: only in the first", async () => writeFile(await unpacked(0, "etc/new"), "")],
];

describe.each(drivers)("check under %s", (driver) => {
  beforeEach(() => start(driver));

  it("finds nothing wrong with a good store", async () => {
    expect(await opened.store.check()).toEqual([]);
    expect(await opened.store.check({ quick: true })).toEqual([]);
    expect(await opened.store.gc()).toEqual({ removed: 0, bytes: 0 });
  });

  it.each(damages)("finds %s in a layer, and repairs it", async (_, says, damage) => {
    const before = await readFile(await unpacked(0, "etc/conf"), "utf8");
    await damage();
    const { subject, message } = await only(opened.store.check());
    expect(subject).toBe(`layer ${chainOf(0)}`);
    expect(message).toContain("layer of base:1");
    expect(message).toContain(says);

    await opened.store.repair();
    expect(await opened.store.check()).toEqual([]);
    expect(await readFile(await unpacked(0, "etc/conf"), "utf8")).toBe(before);
    expect(await treeOf(opened, "base:1")).toEqual(tree);
    expect(await opened.store.gc()).toMatchObject({ removed: 0 });
  });
});

describe("check", () => {
  beforeEach(() => start());

  it("names some differences, and counts the others", async () => {
    for (let n = 0; n < 8; n++) await writeFile(await unpacked(2, `usr/${n}`), "");
    const { message } = await only(opened.store.check());
    expect(message.match(/only in the first/g)).toHaveLength(4);
    expect(message).toContain("; and 4 more; repair the store");
  });

  it("reports progress, and can be aborted", async () => {
    const subjects: string[] = [];
    await opened.store.check({ onProgress: (subject) => subjects.push(subject) });
    expect(subjects).toContain(`layer ${image.diffIds[0]} of base:1`);
    const reason = new Error("enough");
    await expect(opened.store.check({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await opened.store.gc()).toMatchObject({ removed: 0 });
  });

  it.each([
    ["damaged", flip],
    ["damaged", (path: string) => truncate(path, 10)],
    ["missing", (path: string) => rm(path)],
  ])("finds the blob of a layer %s; loading again mends it", async (state, damage) => {
    const path = await blobOf(1);
    await damage(path);
    const { subject, message } = await only(opened.store.check());
    expect(subject).toBe(`blob sha256:${path.slice(-64)}`);
    expect(message).toContain(`layer of base:1 is ${state}`);
    expect(message).toContain("load or pull base:1 again");
    expect((await only(opened.store.repair())).message).toContain("load or pull base:1 again");
    await opened.store.load(archive);
    expect(await opened.store.check()).toEqual([]);
  });

  it("quickly finds what is missing or has another size, and nothing else", async () => {
    await flip(await blobOf(0));
    expect(await opened.store.check({ quick: true })).toEqual([]);
    await truncate(await blobOf(1), 10);
    await rm(await blobOf(2));
    expect(await opened.store.check({ quick: true })).toHaveLength(2);
  });

  it.each([
    ["config", () => image.id],
    ["manifest", async () => (await opened.store.resolve("base:1")).digest],
  ])("finds a damaged %s; loading again mends it", async (what, digest) => {
    await flip(blobFile(await digest()));
    expect((await only(opened.store.check({ quick: true }))).message).toContain(
      `${what} of base:1 is damaged`,
    );
    await expect(opened.store.gc()).rejects.toMatchObject({ code: "Corrupt" });
    await opened.store.repair();
    await opened.store.load(archive);
    expect(await opened.store.check()).toEqual([]);
    expect(await opened.store.gc()).toMatchObject({ removed: 0 });
  });

  it("an image whose documents are damaged can be removed", async () => {
    await flip(blobFile(image.id));
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
    await writeFile(blobFile(`sha256:${"0".repeat(64)}`), "nobody's");
    const lost = await opened.driver.prepare("f".repeat(64));
    await lost.commit(`sha256:${"1".repeat(64)}`);
    expect(await opened.store.check()).toEqual([]);
  });
});

describe("repair", () => {
  it("makes the blob of what was committed here anew from its files", async () => {
    await start();
    const { id } = await opened.store.createContainer("base:1");
    await writeFile(join(await opened.store.mountContainer(id), "file"), "content");
    const made = await opened.store.commit(id);
    const { manifest } = await opened.store.resolve(made.id);
    const blob = blobFile(manifest.layers.at(-1)?.digest ?? "");
    const bytes = await readFile(blob);
    await flip(blob);
    expect(await opened.store.repair()).toEqual([]);
    expect(await readFile(blob)).toEqual(bytes);
    await rm(blob);
    expect(await opened.store.repair()).toEqual([]);
    expect(await opened.store.check()).toEqual([]);
  });

  it("waits for the containers above to be unmounted", async () => {
    await start();
    const { id, name } = await opened.store.createContainer("base:1");
    await opened.store.mountContainer(id);
    await flip(await unpacked(2, "usr/tool"));
    expect((await only(opened.store.repair())).message).toContain(
      `unmount ${name} and repair the store again`,
    );
    await opened.store.unmountContainer(id);
    expect(await opened.store.repair()).toEqual([]);
    expect(await opened.store.check()).toEqual([]);
  });

  it("is done once", async () => {
    await start();
    await flip(await unpacked(2, "usr/tool"));
    expect(await opened.store.repair()).toEqual([]);
    const { ino } = await stat(await unpacked(2, "usr/tool"));
    expect(await opened.store.repair()).toEqual([]);
    expect((await stat(await unpacked(2, "usr/tool"))).ino).toBe(ino);
  });
});

it("a layer that came as two blobs is compared once, and both blobs are looked at", async () => {
  await start();
  const again = scratch.join("again.tar");
  const compress = (tar: Buffer) => gzipSync(tar, { level: 1, memLevel: 1 });
  await writeFile(again, await tarOf(oci([{ image, tags: ["again:1"] }], { compress })));
  await opened.store.load(again);
  const digests = ["base:1", "again:1"].map(
    async (name) => (await opened.store.resolve(name)).manifest.layers[0]?.digest,
  );
  const [one = "", two = ""] = await Promise.all(digests);
  expect(one).not.toBe(two);
  for (const digest of [one, two]) await flip(blobFile(digest));
  expect((await opened.store.check()).map(({ subject }) => subject).sort()).toEqual(
    [`blob ${one}`, `blob ${two}`].sort(),
  );
});
