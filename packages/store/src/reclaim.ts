import { isStrataError } from "@strata/core";
import type { StoreContext } from "./content/context.ts";

/**
 * Have the driver give back what was just removed. That is done as far as it goes: what cannot be given back, such as a
 * tree in which somebody has mounted something, may be another's, and is for gc to report.
 */
export async function reclaim({ driver }: StoreContext): Promise<void> {
  try {
    await driver.cleanup();
  } catch (error) {
    if (!isStrataError(error)) throw error;
  }
}
