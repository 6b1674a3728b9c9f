import { signal, waitFor } from "../signals.ts";

/*
 * Bytes on their way from one thread to another, through memory that both see. Nothing is allocated for them, and the
 * thread that is ahead waits without the event loop.
 */

const capacity = 4 * 2 ** 20;
/** Whoever waits for room waits for this much: waking a thread for less would cost more than it brings. */
const pieceBytes = 256 * 1024;
/** Handed on at once; the room it takes is free again when the next is asked for. */
const maxPieceBytes = 1024 * 1024;

// The words of `control`. Positions count bytes and wrap around.
const produced = 0;
const consumed = 1;
const consumerSignal = 2;
const producerSignal = 3;
const ended = 4;
const stopped = 5;
const words = 6;

/** What both threads share; it can be sent to them. */
export interface RingMemory {
  readonly control: Int32Array;
  readonly bytes: SharedArrayBuffer;
}

/** How the consumer stopped the producer: not at all, to hear what the source's digest is, or for good. */
export type Stop = "none" | "read-on" | "at-once";
const stops: readonly Stop[] = ["none", "read-on", "at-once"];

export function newRing(): RingMemory {
  return {
    control: new Int32Array(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT)),
    bytes: new SharedArrayBuffer(capacity),
  };
}

/** Make it as new. Neither thread may be using it. */
export function resetRing({ control }: RingMemory): void {
  for (let word = 0; word < words; word++) Atomics.store(control, word, 0);
}

/** Have both threads look around: something happened that their own `check` tells. */
export function wakeRing({ control }: RingMemory): void {
  signal(control, consumerSignal);
  signal(control, producerSignal);
}

/** Let the producer know that nothing is wanted any more. */
export function stopRing({ control }: RingMemory): void {
  stop(control, "at-once");
}

/** The end of a ring that bytes go into. */
export class RingProducer {
  readonly #control: Int32Array;
  readonly #bytes: Buffer;
  readonly #check: () => void;

  /** @param check - called before each wait and after it; what it throws ends the waiting */
  constructor({ control, bytes }: RingMemory, check: () => void) {
    this.#control = control;
    this.#bytes = Buffer.from(bytes);
    this.#check = check;
  }

  get stop(): Stop {
    return stops[Atomics.load(this.#control, stopped)] ?? "none";
  }

  /** A piece of the ring to write into, of `wanted` bytes at most. Waits until there is one. */
  room(wanted: number): Buffer {
    const start = Atomics.load(this.#control, produced) & (capacity - 1);
    const enough = Math.min(wanted, pieceBytes, capacity - start);
    const free = waitFor(this.#control, producerSignal, this.#check, () => {
      const used = Atomics.load(this.#control, produced) - Atomics.load(this.#control, consumed);
      const bytes = capacity - (used | 0);
      return bytes >= enough ? bytes : undefined;
    });
    return this.#bytes.subarray(start, start + Math.min(wanted, free, capacity - start));
  }

  /** Hand on bytes, which are copied unless they are where {@link room} pointed to. */
  push(chunk: Buffer): void {
    if (chunk.buffer === this.#bytes.buffer) {
      this.#advance(chunk.length);
      return;
    }
    for (let done = 0; done < chunk.length; ) {
      const copied = chunk.copy(this.room(chunk.length - done), 0, done);
      this.#advance(copied);
      done += copied;
    }
  }

  /** Have the consumer look around. */
  signal(): void {
    signal(this.#control, consumerSignal);
  }

  /** No more bytes will come. */
  end(): void {
    Atomics.store(this.#control, ended, 1);
    this.signal();
  }

  #advance(bytes: number): void {
    Atomics.add(this.#control, produced, bytes);
    this.signal();
  }
}

/** The end of a ring that bytes come out of. */
export class RingConsumer {
  readonly #control: Int32Array;
  readonly #bytes: Buffer;
  readonly #check: () => void;

  /** @param check - as the producer's */
  constructor({ control, bytes }: RingMemory, check: () => void) {
    this.#control = control;
    this.#bytes = Buffer.from(bytes);
    this.#check = check;
  }

  /** All there is, piece by piece; each is valid until the next is asked for. */
  *chunks(): Generator<Buffer> {
    for (;;) {
      const available = this.wait(() => {
        // In this order: what was produced before the end was told is then seen.
        const isEnded = Atomics.load(this.#control, ended) !== 0;
        const bytes = (Atomics.load(this.#control, produced) - Atomics.load(this.#control, consumed)) | 0;
        return bytes > 0 || isEnded ? bytes : undefined;
      });
      if (available === 0) return;
      const start = Atomics.load(this.#control, consumed) & (capacity - 1);
      const chunk = this.#bytes.subarray(start, start + Math.min(available, maxPieceBytes, capacity - start));
      yield chunk;
      Atomics.add(this.#control, consumed, chunk.length);
      signal(this.#control, producerSignal);
    }
  }

  /** Wait until `look` finds something; it is asked again whenever the producer has done something. */
  wait<T>(look: () => T | undefined): T {
    return waitFor(this.#control, consumerSignal, this.#check, look);
  }

  /** Let the producer know that no more bytes are wanted, but that it is to read to the end. */
  readOn(): void {
    stop(this.#control, "read-on");
  }
}

function stop(control: Int32Array, how: Stop): void {
  Atomics.store(control, stopped, stops.indexOf(how));
  signal(control, producerSignal);
}
