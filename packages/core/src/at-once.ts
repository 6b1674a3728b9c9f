import { setMaxListeners } from "node:events";

/**
 * Do the same with each item, with some at the same time. The first that fails stops the others.
 * @param work - must end when its signal is aborted
 * @throws what failed first, or the reason of `signal`
 */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  // All listen; node would warn of more than ten.
  setMaxListeners(0, either);
  // All share it: who is free takes the next.
  const queue = [...items].values();
  const takeTurns = async (): Promise<void> => {
    try {
      for (const item of queue) {
        either.throwIfAborted();
        await work(item, either);
      }
    } catch (error) {
      failed.abort(error);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
  either.throwIfAborted();
}
