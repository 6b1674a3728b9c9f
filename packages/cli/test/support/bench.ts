import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { mountsBelow } from "@strata/conformance/suite";
import { afterAll, expect } from "vitest";
import { launcher, type Outcome, run } from "./strata.ts";

/** `strata bench`, in a directory on disk, as by default what it measures is. */
export interface BenchRuns {
  readonly directory: string;
  /** The quickest run that there is, unless `args` say otherwise. It must leave nothing behind. */
  bench(...args: readonly string[]): Promise<Outcome>;
}

/** Removes its directory after the file's tests. */
export function useBench(): BenchRuns {
  const directory = mkdtempSync("/var/tmp/strata-bench-test-");
  afterAll(() => rmSync(directory, { recursive: true }));
  const shortest = ["hashing", "--quick", "--threads", "1", "--driver", "vfs", "--directory", directory];
  return {
    directory,
    async bench(...args) {
      const outcome = await run(process.execPath, [launcher, "bench", ...shortest, ...args]);
      expect(readdirSync(directory)).toEqual([]);
      expect(mountsBelow(directory)).toEqual([]);
      return outcome;
    },
  };
}
