import { statSync } from "node:fs";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImagePeer } from "../src/peers/image-peer.ts";
import { imagePeers } from "../src/peers/image-peers.ts";
import { type StoredImage, sourceOf, storedImage } from "../src/workloads/store/inputs.ts";
import { contentBelow } from "./support/content-below.ts";
import { leavesNothing, programsOf } from "./support/peers.ts";

let scratch: Scratch;
let plain: StoredImage;
let compressed: StoredImage;

beforeAll(async () => {
  scratch = new Scratch();
  const context = { datasets: scratch.join("datasets"), seed: 1 };
  const spec = { shape: "mixed", files: 20, bytes: 40_000, compressible: true } as const;
  plain = await storedImage(context, { layers: [spec, spec], compression: "none" });
  compressed = await storedImage(context, { layers: [spec], compression: "gzip" });
});

afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
});

describe.each([...imagePeers])("%s as a peer", (id, kind) => {
  const missing = missingFacilities(["root", ...programsOf(id)]);
  const title = (what: string) =>
    missing.length === 0 ? what : `${what} (missing here: ${missing.join(", ")})`;
  const itIfPossible = it.skipIf(missing.length > 0 && !process.env["CI"]);

  itIfPossible(title("loads what it is said to read, and leaves nothing behind"), async () => {
    await leavesNothing(scratch.path, async (directory) => {
      for (const form of kind.reads) {
        await using peer = await kind.open(directory);
        await peer.load(sourceOf(compressed, form));
        expect(contentBelow(directory)).toBeGreaterThan(compressed.bytes);
      }
    });
  });

  it.each(kind.can)(title("can %s"), { skip: missing.length > 0 && !process.env["CI"] }, async (what) => {
    await leavesNothing(scratch.path, async (directory) => {
      await using peer = await kind.open(directory);
      await peer.load(sourceOf(plain, "archive"));
      await does[what](peer);
    });
  });

  itIfPossible(title("says so of what it cannot do"), async () => {
    await using peer = await kind.open(scratch.path);
    if (!kind.can.includes("save")) await expect(peer.save("image", "archive")).rejects.toThrow(TypeError);
    if (!kind.can.includes("images")) await expect(peer.images()).rejects.toThrow(TypeError);
    if (!kind.can.includes("remove")) await expect(peer.remove("image")).rejects.toThrow(TypeError);
  });

  itIfPossible(title("ends, and leaves nothing behind, when it is broken off"), async () => {
    await leavesNothing(scratch.path, async (directory) => {
      const abort = new AbortController();
      await using peer = await kind.open(directory, abort.signal);
      const loading = peer.load(sourceOf(plain, kind.reads[0] ?? "archive"));
      abort.abort(new Error("enough"));
      await expect(loading).rejects.toThrow("enough");
    });
  });
});

const does = {
  save: async (peer: ImagePeer) => {
    const archive = savedPath();
    await peer.save(plain.reference, archive);
    expect(statSync(archive).size).toBeGreaterThan(plain.bytes);
  },
  images: async (peer: ImagePeer) => {
    const name = plain.reference.replace(/:\w+$/, "");
    expect((await peer.images()).stdout).toContain(name);
  },
  remove: async (peer: ImagePeer) => {
    await peer.remove(plain.reference);
    await expect(peer.save(plain.reference, savedPath())).rejects.toThrow("ended with");
  },
} as const;

let saved = 0;
function savedPath(): string {
  saved += 1;
  return scratch.join(`saved-${saved}.tar`);
}
