import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { damaged, truncated } from "./damaged.ts";

const KiB = 1024;

/**
 * Decompress gzip, of several members too. Inflating runs in a thread of libuv's pool, beside whatever the caller does
 * with the piece before, and a piece is in the cache still when it is hashed.
 */
export async function* gunzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = Readable.from(source, { objectMode: false, highWaterMark: 256 * KiB });
  const stream = createGunzip({ chunkSize: 256 * KiB });
  let sourceError: unknown;
  input.on("error", (error) => {
    sourceError = error;
    stream.destroy(error);
  });
  try {
    for await (const chunk of input.pipe(stream)) yield chunk;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    const message = error instanceof Error ? error.message : String(error);
    throw message === "unexpected end of file" ? truncated("gzip", error) : damaged("gzip", message, error);
  } finally {
    input.destroy();
    stream.destroy();
  }
}
