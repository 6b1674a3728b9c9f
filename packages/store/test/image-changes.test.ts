import { rm, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hex, imageOf, type TestImage } from "./support/image.ts";
import { loadImages } from "./support/load.ts";
import { type Sample, sampleStore } from "./support/sample.ts";
import type { OpenedStore, Scratch } from "./support/store.ts";

let sample: Sample;
let scratch: Scratch;
let opened: OpenedStore;
let web: TestImage;
let db: TestImage;

beforeEach(async () => {
  sample = await sampleStore();
  ({ scratch, opened, web, db } = sample);
});

afterEach(async () => {
  await sample[Symbol.asyncDispose]();
});

describe("tag", () => {
  it("moves a reference, and leaves the image that had it without a name", async () => {
    await opened.store.tag("web:1", "db:1");
    const images = await opened.store.images();
    expect(images.map(({ id, references }) => [id, references.length])).toEqual([
      [web.id, 3],
      [db.id, 0],
    ]);
    const dangling = await opened.store.images({ filters: [{ key: "dangling", value: "true" }] });
    expect(dangling.map(({ id }) => id)).toEqual([db.id]);
    await opened.store.tag(db.id, "db:2");
    expect((await opened.store.images()).map(({ references }) => references.length)).toEqual([3, 1]);
  });

  it("twice is once", async () => {
    await opened.store.tag("web:1", "web:1");
    expect((await opened.store.resolve("web:1")).references).toHaveLength(2);
  });

  it.each([
    ["web:2", "x", "No such image: web:2"],
    ["web:1", "X", "must be lowercase"],
    ["web:1", `x@sha256:${"0".repeat(64)}`, "refusing to create a tag with a digest reference"],
  ])("refuses %s as %s", async (source, target, message) => {
    await expect(opened.store.tag(source, target)).rejects.toThrow(message);
  });
});

describe("names", () => {
  it("prefers a name to the beginning of an ID", async () => {
    const name = hex(db.id).slice(0, 6);
    await opened.store.tag("web:1", name);
    expect((await opened.store.resolve(name)).id).toBe(web.id);
    expect((await opened.store.resolve(hex(db.id).slice(0, 7))).id).toBe(db.id);
  });

  it("refuses the beginning of several IDs, and names them", async () => {
    const many = await Promise.all(Array.from({ length: 17 }, (_, n) => imageOf([{ file: `${n}` }])));
    await loadImages(
      scratch,
      opened,
      many.map((image) => ({ image })),
    );
    const digits = many.map(({ id }) => hex(id).slice(0, 1));
    const twice = digits.find((digit, index) => digits.indexOf(digit) !== index) ?? "";
    await expect(opened.store.resolve(twice)).rejects.toThrow(/begins the ID of \d+ images: [0-9a-f]{12}, /);
  });
});

describe("history", () => {
  it("gives steps without a layer no size, and layers without a step one of their own", async () => {
    const history = [
      { created_by: "ADD base" },
      { created_by: "ENV a=b", empty_layer: true, comment: "note" },
    ];
    const image = await imageOf([{ a: "1" }, { b: "22" }, { c: "333" }], { history });
    const bare = await imageOf([{ a: "1" }, { b: "22" }], { history: null });
    await loadImages(scratch, opened, [
      { image, tags: ["steps:1"] },
      { image: bare, tags: ["bare:1"] },
    ]);
    expect(await opened.store.history("steps:1")).toMatchObject([
      { id: image.id, createdBy: "", size: 3, emptyLayer: false, created: "2024-02-03T04:05:06Z" },
      { createdBy: "", size: 2 },
      { createdBy: "ENV a=b", size: 0, emptyLayer: true, comment: "note", created: "0001-01-01T00:00:00Z" },
      { createdBy: "ADD base", size: 1 },
    ]);
    expect((await opened.store.history("bare:1")).map(({ size }) => size)).toEqual([2, 1]);
  });
});

describe("damaged documents", () => {
  it("are listed also when a config is damaged", async () => {
    await writeFile(scratch.join("store", "blobs", "sha256", hex(web.id)), "{");
    const images = await opened.store.images();
    expect(images).toMatchObject([
      { id: db.id },
      { id: web.id, created: "0001-01-01T00:00:00Z", labels: {}, size: 16 },
    ]);
  });

  it("says which image's documents are gone", async () => {
    await rm(scratch.join("store", "blobs", "sha256", hex(db.id)));
    await expect(opened.store.inspect("db:1")).rejects.toMatchObject({
      code: "Corrupt",
      message: expect.stringContaining("load or pull the image again"),
    });
  });
});
