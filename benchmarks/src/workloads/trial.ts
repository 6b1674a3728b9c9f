import { Resources } from "../resources.ts";
import type { Operation, Trial } from "../workload.ts";

/** What `open` has in use goes with the trial, and at once if it fails. */
export async function openTrial(open: (held: Resources) => Promise<readonly Operation[]>): Promise<Trial> {
  const held = new Resources();
  const dispose = () => held[Symbol.asyncDispose]();
  try {
    return { operations: await open(held), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
