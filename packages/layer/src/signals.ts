/*
 * How threads wait for each other: a word of shared memory counts what happened, so that whoever has seen its value
 * before looking cannot sleep through the next event.
 */

/** Wake those who wait for a word: something happened that they will see when they look. */
export function signal(words: Int32Array, word: number): void {
  Atomics.add(words, word, 1);
  Atomics.notify(words, word);
}

/**
 * Block this thread until `look` finds something; it is asked again after each {@link signal}.
 * @param check - called before each wait and after it; what it throws ends the waiting
 */
export function waitFor<T>(words: Int32Array, word: number, check: () => void, look: () => T | undefined): T {
  for (;;) {
    const seen = Atomics.load(words, word);
    check();
    const found = look();
    if (found !== undefined) return found;
    Atomics.wait(words, word, seen);
  }
}

/** As {@link waitFor}, while this thread goes on with what else it has to do. */
export async function whenFound<T>(
  words: Int32Array,
  word: number,
  check: () => void,
  look: () => T | undefined,
): Promise<T> {
  for (;;) {
    const seen = Atomics.load(words, word);
    check();
    const found = look();
    if (found !== undefined) return found;
    await Atomics.waitAsync(words, word, seen).value;
  }
}
