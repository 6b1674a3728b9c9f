import { execFileSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { docker20, oci } from "./support/layouts.ts";
import { drivers, listing, openStore, Scratch, treeOf } from "./support/store.ts";
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

describe.each(drivers)("under %s", (driver) => {
  it.each(["waiting", "loading", "done"])(
    "an abort while a layer is %s leaves nothing behind",
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

  it("what a living process stages is left alone by another", async () => {
    await using opened = await openStore(scratch.join("store"), driver);
    const path = await sample();
    const stream = new Readable({ read() {} });
    const slow = opened.store.load(stream);
    while ((await readdir(join(opened.root, "ingest"))).length === 0) await new Promise(setImmediate);
    await opened.store.load(path);
    expect(await readdir(join(opened.root, "ingest"))).toHaveLength(1);
    stream.push(await tarOf(oci([{ image: await imageOf([{ late: "1" }]), tags: ["late:1"] }])));
    stream.push(null);
    expect(await slow).toHaveLength(1);
    expect(await treeOf(opened, "late:1")).toEqual({ late: "1" });
  });

  it.runIf(process.geteuid?.() === 0)(
    "a full disk is said to be full, and nothing is left on it",
    async () => {
      const image = await imageOf([{ small: "1" }, { big: "x".repeat(3 * 2 ** 20) }]);
      const path = scratch.join("archive");
      await writeFile(path, await tarOf(docker20([{ image, tags: ["big:1"] }])));
      const root = scratch.join("full");
      await mkdir(root);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", root]);
      try {
        await using opened = await openStore(root, driver);
        const before = await listing(root);
        await expect(opened.store.load(path)).rejects.toMatchObject({
          code: "NoSpace",
          message: expect.stringContaining("free some space"),
        });
        await opened.driver.cleanup();
        expect(await listing(root)).toEqual(before);
      } finally {
        execFileSync("umount", [root]);
      }
    },
  );
});
