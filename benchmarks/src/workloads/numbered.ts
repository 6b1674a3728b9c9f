import type { Operation } from "../workload.ts";

/** An {@link Operation} whose iterations each have a thing of their own, which they know by its number. */
export interface NumberedOperation extends Omit<Operation, "run" | "before" | "after"> {
  run(number: number): unknown;
  before?(number: number): unknown;
  after?(number: number): unknown;
}

/** @param iterations - of each round: the numbers count from 0 up to it, and then from 0 again */
export function numbered(iterations: number, operation: NumberedOperation): Operation {
  let number = 0;
  return {
    ...operation,
    run: () => operation.run(number),
    before: () => operation.before?.(number),
    after: async () => {
      await operation.after?.(number);
      number = (number + 1) % iterations;
    },
  };
}
