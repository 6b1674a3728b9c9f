import { StrataError } from "@strata/core";

/** The error for compressed bytes that are not what a compressor wrote, or not all of it. */
export function damaged(compression: string, what: string, cause?: unknown): StrataError {
  return new StrataError(
    "Corrupt",
    `the ${compression} data are damaged: ${what}; fetch or build them anew`,
    {
      cause,
    },
  );
}

/** The error for a stream that ends too early. */
export function truncated(compression: string, cause?: unknown): StrataError {
  return damaged(compression, "they end too early", cause);
}
