import { existsSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestOf } from "@strata/core";
import type { UploadTarget } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { loadImages } from "./support/load.ts";
import { type OpenedStore, openStore, Scratch } from "./support/store.ts";

const location = "https://registry.example.com/v2/app/blobs/uploads/1";

let scratch: Scratch;
let opened: OpenedStore;
/** Of a blob that the store has. */
let blob: Digest;

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"));
  await loadImages(scratch, opened, [{ image: await imageOf([{ file: "x" }]), tags: ["app:1"] }]);
  blob = (await opened.store.resolve("app:1")).id;
});
afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

function target(repository = "app", digest = blob): UploadTarget {
  return { registry: "registry.example.com", repository, digest };
}

/** @returns the file of the note */
async function begin(what = target(), where = location): Promise<string> {
  const before = files();
  await using note = await opened.store.holdUpload(what);
  await note.save(where);
  return files().find((path) => !before.includes(path)) ?? "";
}

async function noted(what = target()): Promise<string | undefined> {
  await using note = await opened.store.holdUpload(what);
  return note.location;
}

function files(): string[] {
  const dir = join(opened.root, "uploads");
  return existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [];
}

describe("the note of an upload", () => {
  it("tells the next one where it goes on, by what goes where", async () => {
    expect(await noted()).toBeUndefined();
    await begin();
    await begin(target("other"), `${location}/other`);
    expect(await noted()).toBe(location);
    expect(await noted(target("other"))).toBe(`${location}/other`);
    expect(await noted(target("app", digestOf("another blob")))).toBeUndefined();
    expect(await noted({ ...target(), registry: "registry.example.com:5000" })).toBeUndefined();
  });

  it("is what was saved last, if that is shorter, too", async () => {
    await begin(target(), `${location}?${"x".repeat(500)}`);
    await begin(target(), location);
    expect(await noted()).toBe(location);
  });

  it("is for nobody else to read", async () => {
    expect(statSync(await begin()).mode & 0o777).toBe(0o600);
    expect(statSync(join(opened.root, "uploads")).mode & 0o777).toBe(0o700);
  });

  it("leaves nothing once it is forgotten, or if nothing was begun", async () => {
    await noted();
    expect(files()).toEqual([]);
    await begin();
    const note = await opened.store.holdUpload(target());
    note.forget();
    await note[Symbol.asyncDispose]();
    expect(files()).toEqual([]);
    // Closed again, it does not take away what another has by now.
    await begin();
    await note[Symbol.asyncDispose]();
    expect(await noted()).toBe(location);
  });

  it("counts for none where it is torn", async () => {
    const path = await begin();
    for (let size = readFileSync(path).length - 2; size >= 0; size--) {
      truncateSync(path, size);
      expect(await noted(), `${size} bytes`).toBeUndefined();
      await begin();
    }
  });

  it("is held by one at a time; who waits can give up", async () => {
    const first = await opened.store.holdUpload(target());
    await using _other = await opened.store.holdUpload(target("other"));
    const second = opened.store.holdUpload(target());
    const third = opened.store.holdUpload(target(), { signal: AbortSignal.abort(new Error("enough")) });
    await expect(third).rejects.toThrow("enough");
    await first.save(location);
    await first[Symbol.asyncDispose]();
    await using note = await second;
    expect(note.location).toBe(location);
  });
});

describe("gc", () => {
  const weekMs = 7 * 24 * 60 * 60 * 1000;

  function age(path: string, ms: number): void {
    const time = new Date(Date.now() - ms);
    utimesSync(path, time, time);
  }

  it("keeps a note for a week, as long as its blob is there", async () => {
    age(await begin(), weekMs - 60_000);
    age(await begin(target("old")), weekMs + 60_000);
    await begin(target("app", digestOf("no blob")));
    expect((await opened.store.gc()).removed).toBe(2);
    expect(files()).toHaveLength(1);
    expect(await noted()).toBe(location);
    await opened.store.removeImages(["app:1"]);
    await opened.store.gc();
    expect(files()).toEqual([]);
  });

  it("removes what is not begun, or cannot be read, but nothing that is held", async () => {
    const path = await begin();
    truncateSync(path, 10);
    const held = await opened.store.holdUpload(target());
    expect((await opened.store.gc()).removed).toBe(0);
    await held.save(location);
    expect((await opened.store.gc()).removed).toBe(0);
    await held[Symbol.asyncDispose]();
    truncateSync(path, 10);
    expect((await opened.store.gc()).removed).toBe(1);
    expect(files()).toEqual([]);
  });
});
