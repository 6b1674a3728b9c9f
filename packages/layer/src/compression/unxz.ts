import xz from "xz-decompress";
import { damaged, truncated } from "./damaged.ts";

/**
 * Decompress xz, of several streams too. xz-decompress (xz-embedded as WebAssembly) verifies CRC32 and CRC64; it
 * decodes one stream and says nothing of what follows, so the streams are told apart here.
 */
export async function* unxz(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces = splitAtStreamEnds(source);
  for (;;) {
    const first = await nextStream(pieces);
    if (first === undefined) return;
    try {
      for await (const chunk of new xz.XzReadableStream(streamOf(first, pieces))) {
        yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      }
    } catch (error) {
      throw explain(error);
    }
  }
}

const footerMagic = Buffer.from("YZ");

/**
 * Every stream ends with `YZ`. Cut behind each such place, so that the decoder has never read anything of the stream
 * after the one it is in.
 * @see The .xz File Format, section 2.1.2, "Stream Footer"
 */
async function* splitAtStreamEnds(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  let carried: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    // The magic may lie across two chunks: the last byte waits for the next chunk.
    const bytes = Buffer.concat([carried, chunk]);
    let start = 0;
    for (let at = bytes.indexOf(footerMagic); at >= 0; at = bytes.indexOf(footerMagic, start)) {
      yield bytes.subarray(start, at + footerMagic.length);
      start = at + footerMagic.length;
    }
    const end = Math.max(start, bytes.length - 1);
    if (end > start) yield bytes.subarray(start, end);
    carried = bytes.subarray(end);
  }
  if (carried.length > 0) yield carried;
  return undefined;
}

/** The first piece of the next stream, without the zeros that may stand between streams. */
async function nextStream(pieces: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  for (;;) {
    const { done, value } = await pieces.next();
    if (done === true) return undefined;
    const start = value.findIndex((byte) => byte !== 0);
    if (start >= 0) return value.subarray(start);
  }
}

function streamOf(first: Buffer, pieces: AsyncIterator<Buffer>): ReadableStream<Uint8Array> {
  let next: Buffer | undefined = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = next ?? (await pieces.next()).value;
        next = undefined;
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    },
    // Nothing is read ahead: it would be lost to the next stream.
    { highWaterMark: 0 },
  );
}

// enum xz_ret of xz-embedded, which the package puts into its messages.
const reasons: Readonly<Record<string, string>> = {
  "3": "they need more memory than can be had",
  "5": "they are not xz data",
  "6": "they use an option that is not supported (a check other than CRC32 and CRC64, or a BCJ filter)",
};

function explain(error: unknown): unknown {
  const message = error instanceof Error ? error.message : "";
  const code = /failed with error code (\d+)/.exec(message)?.[1];
  // Anything else came from the source.
  if (code === undefined) return error;
  return code === "8" ? truncated("xz", error) : damaged("xz", reasons[code] ?? "a checksum is wrong", error);
}
