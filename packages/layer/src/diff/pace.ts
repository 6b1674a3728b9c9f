import { setImmediate } from "node:timers/promises";

// Long enough that the turns cost nothing, short enough that a progress bar or a Ctrl-C does not notice.
const turnMs = 10;

/**
 * Lets a walk of synchronous system calls share its thread: the event loop gets a turn every few milliseconds, and
 * an abort is noticed.
 */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  #turnStarted = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /**
   * To be awaited often; costs next to nothing when no turn is due.
   * @throws the signal's reason
   */
  async rest(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#turnStarted < turnMs) return;
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#turnStarted = performance.now();
  }
}
