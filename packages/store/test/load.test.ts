import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ProgressEvent } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compressors } from "./support/compress.ts";
import { imageOf } from "./support/image.ts";
import { docker20, docker25, type Named, oci, ociBlobs, podman } from "./support/layouts.ts";
import { membersArchive, mixedImage, mixedTree } from "./support/load.ts";
import { drivers, type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import type { Member } from "./support/tar.ts";

let scratch: Scratch;
let opened: OpenedStore;

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"));
});

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const archive = (members: readonly Member[], compression?: string) =>
  membersArchive(scratch, members, compression);

const layouts: Readonly<Record<string, (named: readonly Named[]) => Member[]>> = {
  "docker 20.10": docker20,
  "docker 25": docker25,
  podman,
  OCI: oci,
};

describe.each(drivers)("load under %s", (driver) => {
  it.each(Object.keys(layouts))("takes an archive of %s", async (layout) => {
    await using other = await openStore(scratch.join("other"), driver);
    const image = await mixedImage();
    const path = await archive(layouts[layout]?.([{ image, tags: ["sample:1"] }]) ?? []);
    const [loaded, ...more] = await other.store.load(path);
    expect(more).toEqual([]);
    expect(loaded).toMatchObject({ id: image.id, references: ["docker.io/library/sample:1"], replaced: [] });
    expect(await treeOf(other, "sample:1")).toEqual(mixedTree);
  });

  it("gives an image of no layers an empty tree", async () => {
    await using other = await openStore(scratch.join("other"), driver);
    const image = await imageOf([]);
    await other.store.load(await archive(docker20([{ image, tags: ["empty:1"] }])));
    expect(await treeOf(other, "empty:1")).toEqual({});
  });

  it("refuses a chain that is too long for a container on top", async () => {
    await using other = await openStore(scratch.join("other"), driver);
    const { maxDepth } = other.driver.capabilities;
    if (maxDepth > 10_000) return;
    const image = await imageOf(Array.from({ length: maxDepth }, () => ({ a: "1" })));
    await expect(other.store.load(await archive(docker20([{ image }])))).rejects.toMatchObject({
      code: "DepthExceeded",
      message: expect.stringContaining(`has ${maxDepth} layers`),
    });
  });

  it("takes a layer that an image has three times, once by its bytes", async () => {
    await using other = await openStore(scratch.join("other"), driver);
    const image = await imageOf([{ a: "1" }, { b: "2" }, { a: "1" }, { a: "1" }]);
    await other.store.load(await archive(docker20([{ image, tags: ["twice:1"] }])));
    expect(await treeOf(other, "twice:1")).toEqual({ a: "1", b: "2" });
  });
});

describe("an archive", () => {
  it.each(Object.keys(compressors))(
    "compressed with %s is read from a file and from a stream",
    async (compression) => {
      const image = await mixedImage();
      const path = await archive(docker20([{ image, tags: ["sample:1"] }]), compression);
      expect(await opened.store.load(path)).toMatchObject([{ id: image.id }]);
      await using other = await openStore(scratch.join("other"));
      expect(await other.store.load(createReadStream(path))).toMatchObject([{ id: image.id }]);
      expect(await treeOf(opened, "sample:1")).toEqual(await treeOf(other, "sample:1"));
    },
  );

  it.each(Object.keys(layouts))("of %s is read with its members in any order", async (layout) => {
    const image = await mixedImage();
    const members = layouts[layout]?.([{ image, tags: ["sample:1"] }]) ?? [];
    await opened.store.load(await archive(members.toReversed()));
    const rotated = [...members.slice(3), ...members.slice(0, 3)];
    await using other = await openStore(scratch.join("other"));
    expect(await other.store.load(await archive(rotated, "gzip"))).toMatchObject([{ id: image.id }]);
    expect(await treeOf(opened, "sample:1")).toEqual(mixedTree);
  });

  it("may begin its members' names with ./ and hold directories", async () => {
    const image = await mixedImage();
    const members = docker20([{ image, tags: ["sample:1"] }]).map((member) => ({
      ...member,
      name: `./${member.name}`,
    }));
    expect(await opened.store.load(await archive([{ name: "./" }, ...members]))).toMatchObject([
      { id: image.id },
    ]);
  });

  it.each(Object.keys(compressors))("may hold layers compressed with %s", async (compression) => {
    const image = await mixedImage();
    const compress = compressors[compression] ?? ((bytes: Buffer) => bytes);
    const members = docker20([{ image, tags: ["sample:1"] }]).map((member) =>
      member.name.endsWith("layer.tar") && member.content
        ? { ...member, content: compress(Buffer.from(member.content)) }
        : member,
    );
    expect(await opened.store.load(await archive(members))).toMatchObject([{ id: image.id }]);
    expect(await treeOf(opened, "sample:1")).toEqual(mixedTree);
    const { manifest } = await opened.store.resolve("sample:1");
    // OCI has no media type for the others, and another program must be able to read the store.
    const kept = compression === "gzip" || compression === "zstd" ? `.tar+${compression}` : ".tar";
    for (const layer of manifest.layers) expect(layer.mediaType.endsWith(kept)).toBe(true);
  });

  it("gives several images, which share layers", async () => {
    const base = { shared: "base" };
    const [one, two] = [await imageOf([base, { one: "1" }]), await imageOf([base, { two: "2" }])];
    const path = await archive(docker20([{ image: one, tags: ["a:1", "b:2"] }, { image: two }]));
    const loaded = await opened.store.load(path);
    expect(loaded.map(({ id, references }) => ({ id, references }))).toEqual([
      { id: one.id, references: ["docker.io/library/a:1", "docker.io/library/b:2"] },
      { id: two.id, references: [] },
    ]);
    expect(await treeOf(opened, "b:2")).toEqual({ shared: "base", one: "1" });
    expect(await treeOf(opened, two.id)).toEqual({ shared: "base", two: "2" });
  });

  it("keeps the manifest that it came with, and its digest", async () => {
    const image = await mixedImage();
    const manifest = ociBlobs(image).at(-1) ?? Buffer.alloc(0);
    await opened.store.load(await archive(oci([{ image, tags: ["docker.io/library/sample:1"] }])));
    const record = await opened.store.resolve("sample:1");
    expect(record.manifestBytes.equals(manifest)).toBe(true);
    expect(record.id).toBe(image.id);
  });

  it("of docker 25 is named by both of its documents", async () => {
    const image = await mixedImage();
    const members = docker25([{ image, tags: ["sample:1", "sample:2"] }]);
    const [loaded] = await opened.store.load(await archive(members));
    expect(loaded?.references.toSorted()).toEqual([
      "docker.io/library/sample:1",
      "docker.io/library/sample:2",
    ]);
  });

  it("without a name that is a reference gives an image without a name", async () => {
    const image = await mixedImage();
    expect(await opened.store.load(await archive(oci([{ image, tags: ["Not a Reference"] }])))).toMatchObject(
      [{ id: image.id, references: [] }],
    );
  });

  it("can be a directory", async () => {
    const image = await mixedImage();
    for (const { name, content = "" } of oci([{ image, tags: ["sample:1"] }])) {
      await mkdir(dirname(scratch.join("layout", name)), { recursive: true });
      await writeFile(scratch.join("layout", name), content);
    }
    expect(await opened.store.load(scratch.join("layout"))).toMatchObject([{ id: image.id }]);
    expect(await treeOf(opened, "sample:1")).toEqual(mixedTree);
  });
});

it("says how far each layer is, and which image came of it", async () => {
  const image = await mixedImage();
  const events: ProgressEvent[] = [];
  await opened.store.load(await archive(docker20([{ image, tags: ["sample:1"] }])), {
    onProgress: (event) => events.push(event),
  });
  expect(events.at(-1)).toEqual({ kind: "image", id: image.id, references: ["docker.io/library/sample:1"] });
  for (const [index, diffId] of image.diffIds.entries()) {
    const own = events.filter((event) => event.kind === "layer" && event.diffId === diffId);
    const bytes = image.layers[index]?.length;
    const label = diffId.slice(7, 19);
    const about = { kind: "layer", diffId, label, totalBytes: bytes };
    expect(own[0]).toEqual({ ...about, status: "waiting", bytes: 0 });
    expect(own.at(-1)).toEqual({ ...about, status: "done", bytes });
  }
});
