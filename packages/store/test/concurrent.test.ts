import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { archiveOf } from "./support/load.ts";
import { allDrivers, openStore, Scratch, treeOf } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

/** Three images on one layer: `image:0` to `image:2`, an archive each. */
async function makeArchives(scratch: Scratch): Promise<string[]> {
  const base = { "base/file": "x".repeat(100_000) };
  return await Promise.all(
    ["a", "b", "c"].map(async (name, n) => {
      const image = await imageOf([base, { [name]: name }, { [`${name}2`]: name }]);
      return await archiveOf(scratch, [{ image, tags: [`image:${n}`] }]);
    }),
  );
}

describe.each(allDrivers)("calls of one store at once under %s", (driver) => {
  it("load an image and remove it again, collect garbage and create a container", async () => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const [first = "", second = "", third = ""] = await makeArchives(scratch);
    const { store } = opened;
    await store.load(first);
    await Promise.all([1, 2, 3, 4].map(() => store.load(second)));
    expect(await store.images()).toHaveLength(2);
    await Promise.all([
      store.removeImages(["image:1"]),
      store.load(third),
      store.gc(),
      store.createContainer("image:0"),
    ]);
    expect(await store.images()).toHaveLength(2);
    expect(Object.keys(await treeOf(opened, "image:2"))).toContain("c2");
    expect(await store.check()).toEqual([]);
    await store.gc();
    expect(await unowned(opened)).toEqual([]);
  });

  it("leave alone what a load stages that takes its time", async () => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const [first = "", second = ""] = await makeArchives(scratch);
    const { store, root } = opened;
    const stream = new PassThrough();
    const slow = store.load(stream);
    while ((await readdir(join(root, "ingest"))).length === 0) await new Promise(setImmediate);
    await store.load(second);
    await store.gc();
    expect(await readdir(join(root, "ingest"))).toHaveLength(1);
    await pipeline(createReadStream(first), stream);
    expect(await slow).toHaveLength(1);
    expect(Object.keys(await treeOf(opened, "image:0"))).toContain("a2");
  });

  it("check an image that goes away meanwhile, without an error", async () => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const [first = ""] = await makeArchives(scratch);
    const { store } = opened;
    for (let delayMs = 0; delayMs < 40; delayMs += 2) {
      await store.load(first);
      const checking = store.check();
      await setTimeout(delayMs);
      await store.removeImages(["image:0"]);
      // What is removed during a check may be reported.
      expect(await checking).toBeInstanceOf(Array);
      expect(await store.check()).toEqual([]);
    }
  });
});
