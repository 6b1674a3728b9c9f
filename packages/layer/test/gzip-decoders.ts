import { pipeline } from "node:stream/promises";
import { decompressor } from "@strata/layer";
import { decompressorHere } from "../src/compression.ts";

/** One of the two that inflate gzip: what comes of compressed bytes that are cut into pieces. */
export type Expand = (pieces: Iterable<Buffer>) => Promise<Buffer>;

/** Node's, which is always there. */
export async function expandByZlib(pieces: Iterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(pieces, decompressor("gzip"), async (stream: AsyncIterable<Buffer>) => {
    for await (const chunk of stream) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

const decoder = await decompressorHere("gzip");
const reason = "ISA-L (libisal.so.2) is not installed";

/** Tests with ISA-L are skipped without it; where CI forgot it, they fail. */
export const isIsalMissing: boolean = decoder === undefined;
if (isIsalMissing) {
  if (process.env["CI"] === "true") throw new Error(reason);
  console.warn(`tests with ISA-L are skipped: ${reason}`);
}

/** What ISA-L writes into `room`, again and again. */
export function* inflateByIsal(pieces: Iterable<Buffer>, room: Buffer): Generator<Buffer> {
  if (decoder === undefined) throw new Error(reason);
  // What was asked for once must not be needed any more.
  yield* decoder(overwritten(pieces), (wanted) => room.subarray(0, wanted));
}

function* overwritten(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) {
    const copy = Buffer.from(piece);
    yield copy;
    copy.fill(0xa5);
  }
}

/** ISA-L's, into a room of that many bytes; it must not write around it. */
export async function expandByIsal(pieces: Iterable<Buffer>, roomBytes = 4096): Promise<Buffer> {
  const guard = 64;
  const memory = Buffer.alloc(roomBytes + 2 * guard, 0xa5);
  const chunks: Buffer[] = [];
  let failure: unknown;
  try {
    for (const chunk of inflateByIsal(pieces, memory.subarray(guard, guard + roomBytes))) {
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    failure = error;
  }
  memory.fill(0xa5, guard, guard + roomBytes);
  if (memory.some((byte) => byte !== 0xa5)) throw new Error("bytes beyond the room were written");
  if (failure !== undefined) throw failure;
  return Buffer.concat(chunks);
}

export function* inPieces(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
