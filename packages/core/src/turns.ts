import { setImmediate } from "node:timers/promises";
import type { CallOptions } from "./driver.ts";

/** How long the event loop is kept from others at a time. */
const turnMs = 10;

/**
 * Run long synchronous work in turns of some milliseconds, with the event loop free for others in between. In a walk
 * over a file tree, where each call does little, synchronous calls are much cheaper than asynchronous ones.
 *
 * @param work - yields after each small piece; on an abort the signal's reason is thrown into it, so that its
 *   `finally` blocks run
 * @returns what `work` returns
 */
export async function inTurns<T>(work: Generator<void, T>, { signal }: CallOptions = {}): Promise<T> {
  for (;;) {
    if (signal?.aborted) work.throw(signal.reason);
    const end = performance.now() + turnMs;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
    await setImmediate();
  }
}
