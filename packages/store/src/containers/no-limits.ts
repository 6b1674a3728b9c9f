import type { Limits } from "@strata/layer";

/** What is in a container is its user's own: a limit on it would guard against nothing. */
export const noLimits: Limits = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxEntries: Number.POSITIVE_INFINITY,
  maxRatio: Number.POSITIVE_INFINITY,
  maxDepth: Number.POSITIVE_INFINITY,
  maxHeaderBytes: Number.POSITIVE_INFINITY,
};
