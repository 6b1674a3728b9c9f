import { setImmediate } from "node:timers/promises";
import type { CallOptions } from "@strata/core";

/** How long the event loop is kept from others at a time. */
const turnMs = 10;

/**
 * As `inTurns` of core, for long synchronous work that has results on its way.
 *
 * @param work - yields a result, or after each small piece without one nothing; it is ended (its `finally` blocks run)
 *   when the consumer stops, and on an abort
 * @throws the signal's reason
 */
export async function* streamInTurns<T>(
  work: Generator<T | undefined, void>,
  { signal }: CallOptions,
): AsyncGenerator<T> {
  try {
    for (let end = performance.now() + turnMs; ; ) {
      signal?.throwIfAborted();
      const step = work.next();
      if (step.done) return;
      if (step.value !== undefined) yield step.value;
      if (performance.now() < end) continue;
      await setImmediate();
      end = performance.now() + turnMs;
    }
  } finally {
    work.return();
  }
}
