import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { type Compression, detectCompression, type LayerSource } from "@strata/layer";

const chunkBytes = 2 ** 20;

/** The bytes of a range of a file, which is opened when the first are asked for: until then, there is nothing to close. */
export async function* readRange({ path, offset = 0, length }: LayerSource): AsyncGenerator<Buffer> {
  // A stream's end is inclusive: it cannot express an empty range.
  if (length === 0) return;
  const end = length === undefined ? undefined : offset + length - 1;
  yield* createReadStream(path, {
    start: offset,
    highWaterMark: chunkBytes,
    ...(end !== undefined && { end }),
  });
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
