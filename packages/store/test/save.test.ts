import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compressors } from "./support/compress.ts";
import { imageOf, type TestImage } from "./support/image.ts";
import { docker20, oci } from "./support/layouts.ts";
import { type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { type Member, tarOf } from "./support/tar.ts";

let scratch: Scratch;
let opened: OpenedStore;
let image: TestImage;

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"));
  image = await imageOf([{ a: "1" }, { b: "2" }, { a: "1" }]);
});

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

async function load(members: readonly Member[]): Promise<void> {
  await writeFile(scratch.join("in"), await tarOf(members));
  await opened.store.load(scratch.join("in"));
}

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function membersOf(tar: Buffer): Promise<Map<string, Buffer>> {
  const members = new Map<string, Buffer>();
  const reader = extract();
  const fed = pipeline(Readable.from([tar]), reader);
  for await (const entry of reader) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk);
    members.set(entry.header.name, Buffer.concat(chunks));
  }
  await fed;
  return members;
}

describe("save", () => {
  it("gives the same bytes each time, whatever order the images are asked for in", async () => {
    const other = await imageOf([{ a: "1" }, { c: "3" }]);
    await load(
      docker20([
        { image, tags: ["one:1"] },
        { image: other, tags: ["two:2"] },
      ]),
    );
    const first = await bytesOf(opened.store.save(["one:1", "two:2"]));
    expect((await bytesOf(opened.store.save(["one:1", "two:2"]))).equals(first)).toBe(true);
    expect((await bytesOf(opened.store.save(["two:2", "one:1"]))).equals(first)).toBe(true);
    // Not even the store that it comes from is seen in it.
    await using second = await openStore(scratch.join("second"));
    await second.store.load(Readable.from([first]));
    expect((await bytesOf(second.store.save(["two:2", "one:1"]))).equals(first)).toBe(true);
  });

  it.each([
    ["docker", docker20],
    ["OCI", oci],
  ])("and load change no digest of an image of %s", async (_, layout) => {
    await load(layout([{ image, tags: ["one:1"] }]));
    const before = await opened.store.resolve("one:1");
    await using second = await openStore(scratch.join("second"));
    const [loaded] = await second.store.load(Readable.from(opened.store.save(["one:1"])));
    expect(loaded).toMatchObject({ id: image.id, references: ["docker.io/library/one:1"] });
    const after = await second.store.resolve("one:1");
    expect(after.manifestBytes.equals(before.manifestBytes)).toBe(true);
    expect(await treeOf(second, "one:1")).toEqual({ a: "1", b: "2" });
  });

  it("takes a name without a tag for all its tags, and an ID for no name", async () => {
    await load(docker20([{ image, tags: ["one:1", "one:2", "two:1"] }]));
    const tags = async (name: string): Promise<unknown> => {
      const list = (await membersOf(await bytesOf(opened.store.save([name])))).get("manifest.json");
      return JSON.parse(String(list))[0].RepoTags;
    };
    expect(await tags("one")).toEqual(["one:1", "one:2"]);
    expect(await tags("one:2")).toEqual(["one:2"]);
    expect(await tags(image.id)).toBe(null);
    expect(await tags(image.id.slice(7, 19))).toBe(null);
  });

  it("writes each blob once, its name its digest", async () => {
    await load(docker20([{ image, tags: ["one:1"] }]));
    const members = await membersOf(await bytesOf(opened.store.save(["one:1"])));
    expect([...members.keys()].filter((name) => name.startsWith("blobs/sha256/")).sort()).toEqual(
      [
        "blobs/sha256/",
        ...[image.id, ...image.diffIds.slice(0, 2), (await opened.store.resolve("one:1")).digest].map(
          (digest) => `blobs/sha256/${digest.slice(7)}`,
        ),
      ].sort(),
    );
    expect([...members.keys()].slice(-4)).toEqual([
      "index.json",
      "manifest.json",
      "oci-layout",
      "repositories",
    ]);
  });

  it("of an image that is not there fails before the first byte", async () => {
    await load(docker20([{ image, tags: ["one:1"] }]));
    await expect(opened.store.save(["one:1", "two:1"]).next()).rejects.toMatchObject({
      code: "NotFound",
      message: "No such image: two:1",
    });
  });

  it.each([
    ["one that is cut off before the first byte", (bytes: Buffer) => bytes.subarray(1), /cut off/],
    ["one that is damaged when it comes to it", (bytes: Buffer) => Buffer.alloc(bytes.length), /damaged/],
  ])("never passes a bad blob on: %s", async (_, damage, says) => {
    await load(oci([{ image, tags: ["one:1"] }], { compress: compressors["gzip"] ?? ((tar) => tar) }));
    const { manifest } = await opened.store.resolve("one:1");
    const path = join(opened.root, "blobs/sha256", manifest.layers[1]?.digest.slice(7) ?? "");
    const good = (await membersOf(await bytesOf(opened.store.save(["one:1"])))).get(
      path.slice(opened.root.length + 1),
    );
    await writeFile(path, damage(good ?? Buffer.alloc(0)));
    await expect(bytesOf(opened.store.save(["one:1"]))).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringMatching(says),
    });
  });

  it("can be aborted, and left in the middle", async () => {
    await load(docker20([{ image: await imageOf([{ big: "x".repeat(5 * 2 ** 20) }]), tags: ["big:1"] }]));
    const reason = new Error("enough");
    const abort = new AbortController();
    const aborted = opened.store.save(["big:1"], { signal: abort.signal });
    await aborted.next();
    abort.abort(reason);
    await expect(bytesOf(aborted)).rejects.toBe(reason);
    for await (const _ of opened.store.save(["big:1"])) break;
  });
});
