// What is tested waits with Atomics.waitAsync.
/// <reference lib="es2024.sharedmemory" />
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { digestOf } from "@strata/core";
import { describe, expect, it } from "vitest";
import { BlobContent } from "../src/apply/blob-content.ts";
import { decompressorHere } from "../src/compression.ts";
import { defaultLimits, type Limits } from "../src/limits.ts";
import { isIsalMissing } from "./gzip-decoders.ts";
import { useScratch } from "./layouts.ts";

/*
 * A gzip layer's blob, read with either decoder. What the threads use is whichever is there; here both are asked.
 */

const scratch = useScratch();
const MiB = 2 ** 20;

const archive = Buffer.alloc(5 * MiB, "all work and no play makes a dull layer\n");
const blob = gzipSync(archive);

const decoders = [
  ["zlib", async () => undefined, false],
  ["ISA-L", decompressorHere, isIsalMissing],
] as const;

describe.each(decoders)("gzip by %s", (_, decoder, isMissing) => {
  const ifThere = it.skipIf(isMissing);

  const open = (bytes: Buffer, { limits = {}, onChunk = () => {} }: Options = {}) => {
    const path = join(scratch.path, "blob");
    writeFileSync(path, bytes);
    const job = { source: { path }, layout: { format: "plain", dir: scratch.path } } as const;
    const hooks = { checkAbort: onChunk, onProgress: onChunk };
    return new BlobContent(job, { ...defaultLimits, ...limits }, hooks, decoder);
  };

  ifThere("gives the archive and both digests", async () => {
    const content = open(Buffer.concat([blob, blob, Buffer.alloc(MiB)]));
    const chunks: Buffer[] = [];
    for await (const chunk of content.chunks()) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).equals(Buffer.concat([archive, archive]))).toBe(true);
    expect(content.diffId()).toBe(digestOf(Buffer.concat([archive, archive])));
    expect(content.blob()).toBe(digestOf(Buffer.concat([blob, blob, Buffer.alloc(MiB)])));
    content.close();
  });

  ifThere("tells the digest of the whole blob when it is damaged", async () => {
    const damaged = Buffer.concat([blob.subarray(0, 500), Buffer.alloc(2 * MiB, "noise")]);
    const content = open(damaged);
    await expect(drain(content)).rejects.toMatchObject({ code: "Corrupt" });
    expect(content.blob()).toBe(digestOf(damaged));
    content.close();
  });

  ifThere.each([
    ["maxBytes", gzipSync(archive), { maxBytes: 2 * MiB }],
    ["maxRatio", gzipSync(Buffer.alloc(70 * MiB)), {}],
  ] as const)("%s holds, at each piece", async (name, bytes, limits) => {
    const content = open(bytes, { limits });
    let most = 0;
    const reading = async () => {
      for await (const chunk of content.chunks()) most += chunk.length;
    };
    await expect(reading()).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(`(${name})`),
    });
    expect(most).toBeLessThanOrEqual(name === "maxBytes" ? 2 * MiB : 64 * MiB);
    content.close();
  });

  ifThere("stops at the next piece when it is to stop", async () => {
    let calls = 0;
    const content = open(blob, {
      onChunk: () => {
        if (++calls === 5) throw new RangeError("enough");
      },
    });
    await expect(drain(content)).rejects.toThrow("enough");
    expect(calls).toBe(5);
    content.close();
  });
});

it.skipIf(isIsalMissing)("ISA-L writes where it is told, in shared memory too", async () => {
  const path = join(scratch.path, "blob");
  writeFileSync(path, blob);
  const job = { source: { path }, layout: { format: "plain", dir: scratch.path } } as const;
  const content = new BlobContent(job, defaultLimits, { checkAbort: () => {}, onProgress: () => {} });
  const memory = Buffer.from(new SharedArrayBuffer(6 * MiB));
  let written = 0;
  const room = (wanted: number) => memory.subarray(written, written + wanted);
  for await (const chunk of content.chunks(room)) {
    expect(chunk.buffer === memory.buffer && chunk.byteOffset === written).toBe(true);
    written += chunk.length;
  }
  content.close();
  expect(memory.subarray(0, written).equals(archive)).toBe(true);
  expect(memory.subarray(written).every((byte) => byte === 0)).toBe(true);
});

interface Options {
  readonly limits?: Partial<Limits>;
  readonly onChunk?: () => void;
}

async function drain(content: BlobContent): Promise<void> {
  for await (const _ of content.chunks());
}
