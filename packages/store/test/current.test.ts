import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hex, sha256 } from "./support/image.ts";
import { mixedImage } from "./support/load.ts";
import { Remote } from "./support/remote.ts";
import { type OpenedStore, openStore, Scratch } from "./support/store.ts";

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

const reference = "registry.test/sample:1";
const blobFile = (digest: string): string => join(opened.root, "blobs/sha256", hex(digest));

describe("what a reference names", () => {
  it("remembers the index that a manifest was chosen from, and says what a reference names", async () => {
    const remote = new Remote(await mixedImage());
    const { store } = opened;
    expect(await store.current(reference)).toBeUndefined();
    await store.receive([remote.as([reference])]);
    const id = remote.image.id;
    const digest = sha256(remote.manifest);
    const platform = { os: "linux", architecture: expect.any(String) };
    expect(await store.current(reference)).toEqual({ id, digest, platform });
    const indexDigest = sha256(remote.index);
    const byDigest = `registry.test/sample@${indexDigest}`;
    await store.receive([remote.asIndexed([reference, byDigest])]);
    for (const name of [reference, byDigest]) {
      expect(await store.current(name)).toEqual({ id, digest, indexDigest, platform });
      expect((await store.resolve(name)).id).toBe(id);
    }
    const foreign = { platform: "linux/s390x" };
    await expect(store.receive([remote.asIndexed([reference])], foreign)).rejects.toMatchObject({
      code: "NotFound",
      message: "no matching manifest for linux/s390x in the manifest list entries",
    });
    await expect(store.receive([remote.as([reference])], foreign)).rejects.toMatchObject({
      code: "NotFound",
    });
    await expect(store.current("Not:a:reference")).rejects.toMatchObject({ code: "InvalidArgument" });
  });

  it("an image that lacks a blob, or has a short one, is not current until it is pulled again", async () => {
    const remote = new Remote(await mixedImage());
    const { store } = opened;
    const pull = () => store.receive([remote.as([reference])]);
    await pull();
    const blobs = [sha256(remote.manifest), remote.image.id, ...remote.layers].map(blobFile);
    for (const blob of blobs) {
      const bytes = await readFile(blob);
      for (const damaged of [undefined, Buffer.alloc(0), Buffer.alloc(bytes.length, "x")]) {
        if (damaged === undefined) await rm(blob);
        else await writeFile(blob, damaged);
        // Only what is read is looked at more closely than its size.
        const isSeen = damaged?.length !== bytes.length || blobs.indexOf(blob) < 2;
        expect((await store.current(reference)) === undefined).toBe(isSeen);
        if (isSeen) await pull();
        else await writeFile(blob, bytes);
        expect(await store.current(reference)).toBeDefined();
        expect(await store.check()).toEqual([]);
      }
    }
  });
});
