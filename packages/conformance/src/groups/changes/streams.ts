import assert from "node:assert/strict";
import { digestOf } from "@strata/core";
import type { Behaviour } from "../../behaviour.ts";
import { rejects } from "../../expect.ts";
import { gives } from "../../trees/applied-tree.ts";
import { Layers } from "../../trees/layers.ts";
import type { Trial } from "../../trial.ts";
import { archive, archiveTree, compressed } from "./compressed.ts";

/** The streams that layers come in: whole, damaged, and with more in them than a tar. */
export const streams: readonly Behaviour[] = [
  {
    id: "junk-and-truncated-plain",
    title: "a plain archive is applied when it is whole, and refused when it is junk, cut or damaged",
    origin: "S",
    async run(trial) {
      await gives(trial, [archive], archiveTree);
      const junk = [Buffer.from("no archive at all, ".repeat(100)), Buffer.alloc(0), Buffer.alloc(100)];
      const cut = [100, 700, 1200, archive.length - 1024].map((length) => archive.subarray(0, length));
      await allRefused(trial, [...junk, ...cut, flipped(archive, 3), flipped(archive, 640)]);
    },
  },
  ...Object.entries(compressed).map(([name, blob]) => ({
    id: `junk-and-truncated-${name}`,
    title: `a layer in ${name} is applied when it is whole, and refused when it is junk, cut or damaged`,
    origin: "S",
    run: async (trial: Trial) => {
      await gives(trial, [blob], archiveTree);
      const junk = Buffer.concat([blob.subarray(0, 6), Buffer.from("no such thing, ".repeat(100))]);
      const cut = [6, 0.25, 0.5, 0.75, 1].map((part) =>
        blob.subarray(0, part > 1 ? part : part * blob.length - 1),
      );
      const places = [0.3, 0.6, 0.95].map((part) => Math.floor(part * blob.length));
      // And where the checksums are.
      places.push(blob.length - 7, blob.length - 2);
      const damaged = places.map((at) => flipped(blob, at));
      await allRefused(trial, [junk, ...cut, ...damaged]);
    },
  })),
  {
    id: "trailing-bytes-hashed",
    title: "what follows an archive's end mark gives no file, but belongs to the digests",
    origin: "U",
    async run(trial) {
      const trailed = Buffer.concat([archive, Buffer.from("trailing "), archive]);
      await gives(trial, [trailed], archiveTree);
      await using layers = new Layers(trial);
      const applied = await layers.commit("trailed", trailed);
      assert.equal(applied.diffId, digestOf(trailed));
      assert.equal(applied.entries, 2);
      const blob = Buffer.concat([compressed.gzip, Buffer.alloc(5_000_000)]);
      const inflated = await layers.commit("compressed", blob);
      assert.equal(inflated.blob, digestOf(blob));
      assert.equal(inflated.diffId, digestOf(archive));
    },
  },
];

/** That none of some damaged layers can be applied, and none leaves a snapshot behind. */
async function allRefused(trial: Trial, blobs: readonly Buffer[]): Promise<void> {
  await using layers = new Layers(trial);
  await layers.removeAll();
  for (const blob of blobs) {
    await rejects(layers.apply(await layers.prepare(), blob), "Corrupt", "InvalidArgument");
    await layers.removeAll();
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
}
