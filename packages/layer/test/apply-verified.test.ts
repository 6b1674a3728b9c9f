import { gzipSync } from "node:zlib";
import { type Digest, digestOf } from "@strata/core";
import { describe, expect, it } from "vitest";
import { applyPlain, useWorkers } from "./apply-layers.ts";
import { dir, file, tar } from "./build-layer.ts";
import { useScratch } from "./layouts.ts";

const scratch = useScratch();
const workers = useWorkers();

const archive = tar(dir("d"), file("d/f", "text"), file("g", "x".repeat(10_000)));
const otherDigest: Digest = `sha256:${"0".repeat(64)}`;
const own = process.geteuid?.() === 0 ? {} : { ignoreOwnership: true };

describe("digest-mismatch", () => {
  const blob = gzipSync(archive);
  const wrong = [
    ["blob", { blob: otherDigest }, digestOf(blob)],
    ["DiffID", { diffId: otherDigest }, digestOf(archive)],
    ["size, short", { blobSize: blob.length - 1 }, `${blob.length} bytes`],
    ["size, long", { blobSize: blob.length + 1 }, `${blob.length} bytes`],
  ] as const;
  for (const [title, expected, actual] of wrong) {
    it(title, async () => {
      const applied = applyPlain(workers, scratch, blob, { ...own, expected });
      await expect(applied).rejects.toMatchObject({
        code: "Corrupt",
        message: expect.stringContaining(actual),
      });
    });
  }

  it("all of it right", async () => {
    const expected = { blob: digestOf(blob), blobSize: blob.length, diffId: digestOf(archive) };
    await applyPlain(workers, scratch, blob, { ...own, expected });
  });

  it("a flipped byte is a wrong digest, whatever it broke on the way", async () => {
    for (const layer of [archive, blob]) {
      for (const at of [0, 20, 150, layer.length - 1]) {
        const flipped = Buffer.from(layer);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        const applied = applyPlain(workers, scratch, flipped, {
          ...own,
          expected: { blob: digestOf(layer) },
        });
        await expect(applied).rejects.toMatchObject({
          code: "Corrupt",
          message: expect.stringContaining(digestOf(flipped)),
        });
      }
    }
  });

  it("an archive without its end mark is taken only if a digest says that it is whole", async () => {
    const cut = archive.subarray(0, -1024);
    await expect(applyPlain(workers, scratch, cut, own)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("no end mark"),
    });
    await applyPlain(workers, scratch, cut, { ...own, expected: { diffId: digestOf(cut) } });
  });
});
