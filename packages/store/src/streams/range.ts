import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { StrataError } from "@strata/core";
import { ArrivingBytes, type Compression, detectCompression, type LayerSource } from "@strata/layer";

const chunkBytes = 2 ** 20;

/**
 * The bytes of a range of a file, which is opened when the first are asked for: until then, there is nothing to close.
 * Those of one that is still being written come as they arrive.
 */
export async function* readRange(source: LayerSource): AsyncGenerator<Buffer> {
  const { path, offset = 0, length, arriving } = source;
  // A stream's end is inclusive: it cannot express an empty range.
  if (length === 0) return;
  const end = length === undefined ? undefined : offset + length - 1;
  if (arriving !== undefined && end !== undefined) {
    yield* readArriving(path, offset, end, new ArrivingBytes(arriving));
    return;
  }
  yield* createReadStream(path, {
    start: offset,
    highWaterMark: chunkBytes,
    ...(end !== undefined && { end }),
  });
}

async function* readArriving(
  path: string,
  start: number,
  end: number,
  arriving: ArrivingBytes,
): AsyncGenerator<Buffer> {
  const file = await open(path, "r");
  try {
    for (let at = start; at <= end; ) {
      const there = await arriving.whenThere(at + 1, () => {});
      const chunk = Buffer.allocUnsafe(Math.min(there, end + 1, at + chunkBytes) - at);
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw new StrataError("Corrupt", `${path}: it ends after ${at} bytes`);
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** How the bytes of a range of a file are compressed. */
export async function compressionOf({ path, offset = 0 }: LayerSource): Promise<Compression> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, offset);
    return detectCompression(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
