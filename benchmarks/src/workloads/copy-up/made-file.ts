import { closeSync, openSync, writeSync } from "node:fs";
import { MadeBytes } from "../../dataset/made-bytes.ts";

/** What a large write is made of. */
const pieceBytes = 2 ** 20;

/** The content of a file: bytes that nothing makes smaller. */
export class MadeFile {
  readonly #bytes: number;
  readonly #content: MadeBytes;

  constructor(bytes: number, seed: number) {
    this.#bytes = bytes;
    this.#content = new MadeBytes(seed, false, bytes);
  }

  /** Write a file, over what it held. */
  write(path: string): void {
    const file = openSync(path, "w");
    try {
      for (let left = this.#bytes; left > 0; left -= pieceBytes) {
        for (const piece of this.#content.take(Math.min(left, pieceBytes))) {
          for (let written = 0; written < piece.length; ) written += writeSync(file, piece, written);
        }
      }
    } finally {
      closeSync(file);
    }
  }
}
