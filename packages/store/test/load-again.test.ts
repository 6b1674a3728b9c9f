import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerProgress } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf, sha256 } from "./support/image.ts";
import { docker20, docker25, oci } from "./support/layouts.ts";
import { membersArchive, mixedImage, mixedTree } from "./support/load.ts";
import { type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
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

describe("loading again", () => {
  it("reads nothing twice", async () => {
    const image = await mixedImage();
    const path = await archive(docker20([{ image, tags: ["sample:1"] }]));
    await opened.store.load(path);
    const events: LayerProgress[] = [];
    await opened.store.load(path, {
      onProgress: (event) => {
        if (event.kind === "layer") events.push(event);
      },
    });
    expect(events.map(({ status }) => status)).toEqual(["exists", "exists", "exists"]);
  });

  it("of the same image as other blobs keeps the first manifest, unless the second has its own", async () => {
    const image = await mixedImage();
    await opened.store.load(await archive(oci([{ image, tags: ["sample:oci"] }])));
    const { digest } = await opened.store.resolve("sample:oci");
    await opened.store.load(await archive(docker20([{ image, tags: ["sample:docker"] }])));
    expect((await opened.store.resolve("sample:docker")).digest).toBe(digest);
    await opened.store.load(await archive(docker25([{ image, tags: ["sample:25"] }])));
    const other = await opened.store.resolve("sample:25");
    expect(other.digest).not.toBe(digest);
    expect(other.id).toBe(image.id);
  });

  it("moves a tag, and says from which image", async () => {
    const [old, young] = [await imageOf([{ a: "old" }]), await imageOf([{ a: "young" }])];
    await opened.store.load(await archive(docker20([{ image: old, tags: ["t1:latest"] }])));
    const [loaded] = await opened.store.load(
      await archive(docker20([{ image: young, tags: ["t1:latest"] }])),
    );
    expect(loaded?.replaced).toEqual([{ reference: "docker.io/library/t1:latest", id: old.id }]);
    expect((await opened.store.resolve(old.id)).references).toEqual([]);
    expect(await treeOf(opened, "t1")).toEqual({ a: "young" });
  });

  it("writes a blob anew that a power cut left empty", async () => {
    const image = await mixedImage();
    const path = await archive(docker20([{ image, tags: ["sample:1"] }]));
    await opened.store.load(path);
    const { manifest } = await opened.store.resolve("sample:1");
    const blob = join(opened.root, "blobs/sha256", manifest.layers[0]?.digest.slice(7) ?? "");
    await writeFile(blob, "");
    await opened.store.load(path);
    await using other = await openStore(scratch.join("other"));
    expect(await other.store.load(opened.root)).toMatchObject([{ id: image.id }]);
  });

  it("under another driver writes a blob anew that was damaged", async () => {
    const image = await mixedImage();
    const path = await archive(oci([{ image, tags: ["sample:1"] }]));
    await opened.store.load(path);
    const { manifest } = await opened.store.resolve("sample:1");
    const blob = join(opened.root, "blobs/sha256", manifest.layers[0]?.digest.slice(7) ?? "");
    await writeFile(blob, Buffer.alloc(manifest.layers[0]?.size ?? 0, "x"));
    await rm(join(opened.root, "drivers"), { recursive: true });
    await using other = await openStore(opened.root);
    await other.store.load(path);
    expect(await treeOf(other, "sample:1")).toEqual(mixedTree);
    expect(sha256(await readFile(blob))).toBe(manifest.layers[0]?.digest);
  });

  it("at the same time, from several sides, gives one image", async () => {
    const image = await mixedImage();
    const path = await archive(docker20([{ image, tags: ["sample:1"] }]));
    await using second = await openStore(opened.root);
    const loads = [opened, second, opened].map(({ store }) => store.load(path));
    for (const [loaded] of await Promise.all(loads)) expect(loaded?.id).toBe(image.id);
    expect(await treeOf(opened, "sample:1")).toEqual(mixedTree);
    expect(await opened.store.images()).toHaveLength(1);
  });
});
