import { StrataError } from "@strata/core";
import { signal, waitFor, whenFound } from "./signals.ts";

// Words of the shared memory. The count of bytes takes the last two, as one 64-bit number.
const signalWord = 0;
const stateWord = 1;
const countOffset = 8;
const memoryBytes = 16;

const arriving = 0;
const finished = 1;
const failed = 2;

/**
 * How far a file has been written that others read meanwhile: one thread writes and tells, any number of threads read
 * and wait. {@link memory} is what is sent to them.
 */
export class ArrivingBytes {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #count: BigInt64Array;

  /** @param memory - of the thread that writes. @defaultValue new: nothing has arrived */
  constructor(memory = new SharedArrayBuffer(memoryBytes)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 2);
    this.#count = new BigInt64Array(memory, countOffset, 1);
  }

  /** So many more bytes are in the file. */
  add(bytes: number): void {
    Atomics.add(this.#count, 0, BigInt(bytes));
    this.wake();
  }

  /** No more will come. */
  finish(): void {
    this.#end(finished);
  }

  /** No more will come, though more should: who waits for them fails. */
  fail(): void {
    this.#end(failed);
  }

  /** Have those who wait look around: something happened that their own `check` tells. */
  wake(): void {
    signal(this.#words, signalWord);
  }

  /** Bytes that are in the file now. */
  get count(): number {
    return Number(Atomics.load(this.#count, 0));
  }

  /**
   * Block this thread until the file has `position` bytes, or all it will ever have.
   * @param check - called before each wait and after it; what it throws ends the waiting
   * @returns how many bytes there are now
   * @throws StrataError `Aborted`, if they will not come: the writer knows why
   */
  waitFor(position: number, check: () => void): number {
    return waitFor(this.#words, signalWord, check, () => this.#look(position));
  }

  /** The same, while this thread goes on with what else it has to do. */
  whenThere(position: number, check: () => void): Promise<number> {
    return whenFound(this.#words, signalWord, check, () => this.#look(position));
  }

  #look(position: number): number | undefined {
    // In this order: what was added before the end was told is then seen.
    const state = Atomics.load(this.#words, stateWord);
    const { count } = this;
    if (count >= position || state === finished) return count;
    if (state === failed) {
      throw new StrataError("Aborted", "the bytes of the layer stopped arriving; get them again");
    }
    return undefined;
  }

  #end(state: number): void {
    Atomics.compareExchange(this.#words, stateWord, arriving, state);
    this.wake();
  }
}
