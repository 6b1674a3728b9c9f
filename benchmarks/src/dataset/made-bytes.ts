import { createCipheriv } from "node:crypto";

/** Longer than what gzip and zstd look back for repetitions, so that using it again is not noticed by them. */
const mostBytes = 32 * 2 ** 20;
const wordCount = 4096;

/** Bytes made from a seed, without end: text that gzip makes a third of, or noise that nothing makes smaller. */
export class MadeBytes {
  readonly #bytes: Buffer;
  #at = 0;

  /** @param needed - about how many will be taken */
  constructor(seed: number, compressible: boolean, needed: number) {
    const length = Math.min(Math.max(needed, 1), mostBytes);
    this.#bytes = compressible ? text(length, seed) : noise(length, seed);
  }

  /** The next ones, in pieces that are valid as long as this is. */
  *take(length: number): Generator<Buffer> {
    for (let left = length; left > 0; ) {
      const piece = this.#bytes.subarray(this.#at, this.#at + left);
      this.#at = (this.#at + piece.length) % this.#bytes.length;
      left -= piece.length;
      yield piece;
    }
  }
}

function noise(length: number, seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeDoubleLE(seed);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Words of an invented language, some of them much more often than others, in lines. */
function text(length: number, seed: number): Buffer {
  const words = vocabulary(seed);
  const choices = noise(length, seed + 1);
  // A word may reach beyond the end.
  const bytes = Buffer.alloc(length + 64);
  for (let at = 0, choice = 0; at < length; choice += 2) {
    const drawn = choices.readUInt16LE(choice % (length & ~1 || 1)) / 2 ** 16;
    const word = words[Math.floor(wordCount * drawn ** 3.5)] ?? "";
    at += bytes.write(word, at, "latin1");
  }
  return bytes.subarray(0, length);
}

function vocabulary(seed: number): string[] {
  const letters = "etaoinshrdlucmfwyp_gbvk";
  const ends = ["", "", "", "", "", ",", ".", "()", ";", " =", ":", "\n", "\n  ", ";\n    "];
  const drawn = noise(wordCount * 16, seed + 2);
  return Array.from({ length: wordCount }, (_, index) => {
    const bytes = drawn.subarray(index * 16, index * 16 + 16);
    const length = 2 + ((bytes[0] ?? 0) % 9);
    const word = [...bytes.subarray(1, 1 + length)].map((byte) => letters[byte % letters.length]).join("");
    return `${word}${ends[(bytes[15] ?? 0) % ends.length]} `;
  });
}
