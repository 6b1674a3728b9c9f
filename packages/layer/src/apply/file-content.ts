import { ftruncateSync, writeSync } from "node:fs";
import { close } from "@strata/linux";

const holeBytes = 64 * 1024;
const zeros = Buffer.alloc(holeBytes);

/** A regular file that is being written. Long runs of zeros become holes, as they may have been in the first place. */
export class FileContent {
  readonly fd: number;
  readonly #size: number;
  #end = 0;

  constructor(fd: number, size: number) {
    this.fd = fd;
    this.#size = size;
  }

  write(bytes: Buffer, position: number): void {
    let start = 0;
    for (let at = 0; at + holeBytes <= bytes.length; at += holeBytes) {
      if (!isZero(bytes, at)) continue;
      this.#write(bytes.subarray(start, at), position + start);
      start = at + holeBytes;
    }
    this.#write(start === 0 ? bytes : bytes.subarray(start), position + start);
  }

  /** All content was written: give the file its size. */
  finish(): void {
    if (this.#end < this.#size) ftruncateSync(this.fd, this.#size);
  }

  close(): void {
    close(this.fd);
  }

  #write(bytes: Buffer, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.fd, bytes, done, bytes.length - done, position + done);
    }
    if (bytes.length > 0) this.#end = position + bytes.length;
  }
}

/** Whether a run of {@link holeBytes} is all zeros. Nearly always the first byte already says that it is not. */
function isZero(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0 && bytes.compare(zeros, 0, holeBytes, at, at + holeBytes) === 0;
}
