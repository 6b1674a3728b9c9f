import type { FileHandle } from "node:fs/promises";

/** Bytes that may wait to be written: a source that is faster than the disk waits, too. */
const mostWaiting = 4 * 2 ** 20;

/**
 * Write a stream to a file, from a position on. Pieces that come while others are written go out together: each call
 * costs the same, however much it writes. What came before the stream failed is written.
 * @param onWritten - called with the number of bytes that each call has written
 */
export async function writePieces(
  file: FileHandle,
  position: number,
  pieces: AsyncIterable<Uint8Array>,
  onWritten: (bytes: number) => void,
): Promise<void> {
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let at = position;
  let writing: Promise<void> | undefined;
  let failed = false;

  const writeWaiting = async (): Promise<void> => {
    while (waitingBytes > 0) {
      const batch = waiting.splice(0);
      const bytes = waitingBytes;
      waitingBytes = 0;
      await writeAll(file, batch, at);
      at += bytes;
      onWritten(bytes);
    }
    writing = undefined;
  };

  try {
    for await (const piece of pieces) {
      if (piece.length === 0) continue;
      waiting.push(piece);
      waitingBytes += piece.length;
      if (writing === undefined) {
        writing = writeWaiting();
        writing.catch(() => {
          failed = true; // Thrown below, where it is awaited.
        });
      }
      if (failed || waitingBytes >= mostWaiting) await writing;
    }
  } finally {
    await writing;
  }
}

async function writeAll(file: FileHandle, pieces: Uint8Array[], position: number): Promise<void> {
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  let { bytesWritten } = await file.writev(pieces, position);
  if (bytesWritten === total) return;
  // On a full disk, less is written than was asked for; the next call says why.
  const bytes = Buffer.concat(pieces);
  while (bytesWritten < total)
    bytesWritten += (await file.write(bytes, bytesWritten, undefined, position + bytesWritten)).bytesWritten;
}
