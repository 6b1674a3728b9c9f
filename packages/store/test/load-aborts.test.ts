import { writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { docker20 } from "./support/layouts.ts";
import { drivers, listing, openStore, Scratch } from "./support/store.ts";
import { tarOf } from "./support/tar.ts";

let scratch: Scratch;

beforeEach(async () => {
  scratch = await Scratch.make();
});

afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

// Large enough for progress to be reported while it is being read.
const content = "2".repeat(64 * 2 ** 20);

async function sample(): Promise<string> {
  const image = await imageOf([{ a: "1" }, { b: content }, { c: "3" }]);
  const path = scratch.join("archive");
  await writeFile(path, await tarOf(docker20([{ image, tags: ["sample:1"] }])));
  return path;
}

describe.each(drivers)("load under %s", (driver) => {
  it.each(["waiting", "loading", "done"])(
    "an abort by who is told that a layer is %s leaves nothing behind",
    async (moment) => {
      const path = await sample();
      await using opened = await openStore(scratch.join("store"), driver);
      const before = await listing(scratch.path);
      const abort = new AbortController();
      const reason = new Error("enough");
      const load = opened.store.load(path, {
        signal: abort.signal,
        onProgress: (event) => {
          if (event.kind === "layer" && event.status === moment) abort.abort(reason);
        },
      });
      await expect(load).rejects.toBe(reason);
      await opened.driver.cleanup();
      expect(await listing(scratch.path)).toEqual(before);
      expect(await opened.store.load(path)).toHaveLength(1);
    },
  );

  it("an abort while a stream has nothing to say leaves nothing behind", async () => {
    await using opened = await openStore(scratch.join("store"), driver);
    const before = await listing(scratch.path);
    const reason = new Error("enough");
    const abort = new AbortController();
    const load = opened.store.load(new Readable({ read() {} }), { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 50);
    await expect(load).rejects.toBe(reason);
    expect(await listing(scratch.path)).toEqual(before);
  });

  it("an aborted signal fails at once", async () => {
    await using opened = await openStore(scratch.join("store"), driver);
    await expect(opened.store.load("/nowhere", { signal: AbortSignal.abort("why") })).rejects.toBe("why");
  });
});
