import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Digest, parseDigest } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { tar } from "../../tar/encode.ts";
import { dir, file } from "../../tar/entries.ts";
import { gives } from "../../trees/applied-tree.ts";
import { refused } from "../../trees/attack.ts";
import { Layers } from "../../trees/layers.ts";

const layer = tar(dir("d"), file("d/f", "text"), file("g", "x".repeat(5000)));
const corrupt = { code: "Corrupt" } as const;

/** Layers that are not what is known of them, and sizes that lie. */
export const sizes: readonly Behaviour[] = [
  refused(
    { id: "digest-mismatch", title: "a layer of another digest than it was asked for by", origin: "U" },
    { ...corrupt, message: /digest/, expected: { blob: sha256("something else") } },
    layer,
  ),
  refused(
    { id: "size-short", title: "a layer of fewer bytes than were announced", origin: "U" },
    { ...corrupt, message: /size/, expected: { blobSize: layer.length + 1 } },
    layer,
  ),
  refused(
    { id: "size-long", title: "a layer of more bytes than were announced", origin: "U" },
    { ...corrupt, message: /size/, expected: { blobSize: layer.length - 1 } },
    layer,
  ),
  refused(
    { id: "size-negative", title: "a layer of which fewer than no bytes were announced", origin: "U" },
    { ...corrupt, message: /size/, expected: { blobSize: -1 } },
    layer,
  ),
  refused(
    { id: "entry-size-short", title: "a file with more content than its header says", origin: "N" },
    { message: /checksum/ },
    [file("f", "x".repeat(1024), { size: 512 })],
  ),
  refused(
    { id: "entry-size-long", title: "a file with less content than its header says", origin: "N" },
    { message: /middle of an entry/ },
    [file("f", "x", { size: 100_000 })],
  ),
  refused(
    { id: "entry-size-negative", title: "a file with a negative size", origin: "N" },
    { message: /negative size/ },
    [file("f", "x", { tamper: (header) => header.fill(0xff, 124, 136) })],
  ),
  {
    id: "digest-algorithm-list",
    title:
      "a digest counts in one algorithm and one spelling only: any other, though it is right, verifies nothing",
    origin: "N",
    async run(trial) {
      for (const algorithm of ["md5", "sha1", "sha512"]) {
        const digest = `${algorithm}:${createHash(algorithm).update(layer).digest("hex")}`;
        assert.throws(() => parseDigest(digest), { code: "InvalidArgument" });
      }
      await using layers = new Layers(trial);
      const hex = sha256(layer).slice(7);
      for (const spelling of [hex.toUpperCase(), hex.slice(0, 32), `${hex} `]) {
        assert.throws(() => parseDigest(`sha256:${spelling}`), { code: "InvalidArgument" });
        const expected = { blob: `sha256:${spelling}` } as const;
        await rejects(layers.apply(await layers.prepare(), layer, { expected }), "Corrupt");
      }
    },
  },
  {
    id: "pax-size-desync",
    title:
      "where PAX and header differ on a size, one of them counts for the file and for where the next entry is",
    origin: "N",
    run: (trial) => {
      const smuggled = tar(file("smuggled", "s")).subarray(0, 512);
      const content = Buffer.concat([Buffer.alloc(512, "a"), smuggled]);
      return gives(
        trial,
        [[file("f", "", { content, size: 512, pax: { size: "1024" } }), file("g", "g")]],
        ["f = 1024 bytes", 'g = "g"'],
      );
    },
  },
];

function sha256(bytes: Buffer | string): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
