/**
 * A walk in small steps: it yields results, or {@link Inner} walks that are to be done before it goes on.
 *
 * An inner walk does what `yield*` does, at any depth: a tree may be thousands of directories deep, where generators
 * that delegate to each other would overflow the stack, and each result would pass through all of them.
 */
export type Steps<T> = Generator<T | Inner<T>, void>;

/** To be yielded by {@link Steps}. */
export class Inner<T> {
  readonly steps: Steps<T>;

  constructor(steps: Steps<T>) {
    this.steps = steps;
  }
}

/**
 * The results of a walk and its inner walks, in order. An error in an inner walk ends the outer ones too: their
 * `finally` blocks run, but they cannot catch it.
 */
export function* flatten<T>(outermost: Steps<T>): Generator<T, void> {
  const stack = [outermost];
  try {
    for (let steps = stack.at(-1); steps !== undefined; steps = stack.at(-1)) {
      const step = steps.next();
      if (step.done) stack.pop();
      else if (step.value instanceof Inner) stack.push(step.value.steps);
      else yield step.value;
    }
  } finally {
    for (const unfinished of stack.toReversed()) unfinished.return();
  }
}
