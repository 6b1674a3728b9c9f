/** The same items, but a wait for the next ends with the signal's reason when that is aborted. */
export async function* abortable<T>(items: AsyncIterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* items;
    return;
  }
  const iterator = items[Symbol.asyncIterator]();
  // One promise for each wait: a race with one that lasts would keep something of every item until the end.
  let endWait: (reason: unknown) => void = () => {};
  const onAbort = (): void => endWait(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        endWait = reject;
        iterator.next().then(resolve, reject);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a generator that waits for its next item would keep this waiting too.
    iterator.return?.()?.catch(() => {});
  }
}
