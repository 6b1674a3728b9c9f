import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { decompressor } from "@strata/layer";
import type { LayerArchive } from "../../dataset/layers.ts";
import { run } from "../../peers/command.ts";
import type { Operation, TrialContext } from "../../workload.ts";
import { blobsToHash, type HashingParameters } from "./input.ts";

/** What one read of a layer's blob gives, and so what it is hashed by. */
const chunkBytes = 256 * 1024;

/** What a thread does for a subject of a case. */
export async function openHash(context: TrialContext, parameters: HashingParameters): Promise<Operation> {
  const isStrata = context.subject.kind === "driver";
  const { source, bytes = 0 } = parameters;
  if (source === "memory")
    return hashOf(bytes, isStrata ? hashMemory(bytes) : () => speedOfOpenssl(bytes, context.signal));
  const layers = await blobsToHash(context, parameters);
  if (source === "blob") {
    const size = layers.reduce((sum, layer) => sum + layer.bytes, 0);
    return hashOf(size, isStrata ? () => hashBlobs(layers) : () => sha256sumOfBlobs(layers, context.signal));
  }
  const size = layers.reduce((sum, layer) => sum + layer.contentBytes, 0);
  return hashOf(
    size,
    isStrata ? () => hashInflated(layers) : () => sha256sumOfInflated(layers, context.signal),
  );
}

function hashOf(bytes: number, run: () => unknown): Operation {
  return { name: "hash", work: { bytes }, run };
}

function hashMemory(bytes: number): () => void {
  const chunk = randomBytes(chunkBytes);
  return () => {
    const hash = createHash("sha256");
    for (let done = 0; done < bytes; done += chunk.length) hash.update(chunk);
    hash.digest();
  };
}

/** How long openssl would take, from what it says of its speed. */
async function speedOfOpenssl(bytes: number, signal: AbortSignal): Promise<{ overriddenDuration: number }> {
  // Elapsed, not processor time, as all others are measured.
  const args = ["speed", "-mr", "-elapsed", "-seconds", "1", "-bytes", `${chunkBytes}`, "-evp", "sha256"];
  const { stdout } = await run("openssl", args, { signal });
  // +F:22:sha256:1234567.89, in bytes a second
  const bytesPerSecond = Number(/^\+F:\d+:[^:]+:([\d.]+)/m.exec(stdout)?.[1]);
  if (!(bytesPerSecond > 0)) throw new Error(`openssl speed did not tell how fast it was: ${stdout}`);
  return { overriddenDuration: (bytes / bytesPerSecond) * 1000 };
}

function hashBlobs(layers: readonly LayerArchive[]): void {
  for (const { path, digest } of layers) {
    const hash = createHash("sha256");
    for (const chunk of chunksOf(path, Buffer.allocUnsafeSlow(chunkBytes))) hash.update(chunk);
    assertDigest(digest, hash.digest("hex"));
  }
}

async function hashInflated(layers: readonly LayerArchive[]): Promise<void> {
  for (const { path, diffId } of layers) {
    const hash = createHash("sha256");
    await pipeline(
      Readable.from(chunksOf(path), { objectMode: false, highWaterMark: chunkBytes }),
      decompressor("gzip"),
      async (inflated: AsyncIterable<Buffer>) => {
        for await (const chunk of inflated) hash.update(chunk);
      },
    );
    assertDigest(diffId, hash.digest("hex"));
  }
}

/** @param buffer - what to read into; without, each chunk is one of its own */
function* chunksOf(path: string, buffer?: Buffer): Generator<Buffer> {
  const file = openSync(path, "r");
  try {
    for (;;) {
      const chunk = buffer ?? Buffer.allocUnsafeSlow(chunkBytes);
      const length = readSync(file, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

async function sha256sumOfBlobs(layers: readonly LayerArchive[], signal: AbortSignal): Promise<void> {
  const { stdout } = await run("sha256sum", ["--", ...layers.map(({ path }) => path)], { signal });
  const lines = stdout.split("\n");
  for (const [index, { digest }] of layers.entries()) assertDigest(digest, lines[index]?.slice(0, 64));
}

async function sha256sumOfInflated(layers: readonly LayerArchive[], signal: AbortSignal): Promise<void> {
  for (const { path, diffId } of layers) {
    const { stdout } = await run("sh", ["-c", 'gzip -dc -- "$1" | sha256sum', "sh", path], { signal });
    assertDigest(diffId, stdout.slice(0, 64));
  }
}

/** Else something quite different was measured. */
function assertDigest(expected: string, hex: string | undefined): void {
  if (expected !== `sha256:${hex}`) throw new Error(`hashed to ${hex}, not to ${expected}`);
}
