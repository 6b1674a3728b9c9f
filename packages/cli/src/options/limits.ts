import type { Limits } from "@strata/layer";
import type { Command } from "commander";
import { countValue, sizeValue } from "./values.ts";

/** Let `command` take the options that raise or lower what an archive may ask for. */
export function addLimitOptions(command: Command): void {
  command
    .option("--max-bytes <size>", "refuse a layer that unpacks to more (default 64GiB)", sizeValue)
    .option("--max-entries <count>", "refuse a layer with more entries (default 2000000)", countValue)
    .option("--max-ratio <count>", "refuse a layer compressed more than this (default 500)", countValue)
    .option("--max-depth <count>", "refuse entries more directories deep (default 512)", countValue)
    .option("--max-header-bytes <size>", "refuse longer extended headers (default 1MiB)", sizeValue)
    .option("--ignore-chown-errors", "keep no owners, for a store of an ordinary user");
}

export interface LimitOptions extends Partial<Limits> {
  readonly ignoreChownErrors?: boolean;
}

/** The options as the store takes them. */
export function limitsOf(options: LimitOptions): { limits: Partial<Limits>; ignoreOwnership?: boolean } {
  const { maxBytes, maxEntries, maxRatio, maxDepth, maxHeaderBytes, ignoreChownErrors } = options;
  return {
    limits: {
      ...(maxBytes !== undefined && { maxBytes }),
      ...(maxEntries !== undefined && { maxEntries }),
      ...(maxRatio !== undefined && { maxRatio }),
      ...(maxDepth !== undefined && { maxDepth }),
      ...(maxHeaderBytes !== undefined && { maxHeaderBytes }),
    },
    ...(ignoreChownErrors && { ignoreOwnership: true }),
  };
}
