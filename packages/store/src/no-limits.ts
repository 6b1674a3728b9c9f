import type { Limits } from "@strata/layer";

/** For what is in the store already, or a container of it: a limit would guard against nothing there. */
export const noLimits: Limits = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxEntries: Number.POSITIVE_INFINITY,
  maxRatio: Number.POSITIVE_INFINITY,
  maxDepth: Number.POSITIVE_INFINITY,
  maxHeaderBytes: Number.POSITIVE_INFINITY,
};
