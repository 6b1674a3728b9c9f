import { describe, it } from "vitest";
import type { Facility } from "./driver-under-test.ts";
import { missingFacilities } from "./host/facilities.ts";

/**
 * A group of tests that needs something of the host. Where that is missing the group is skipped with the reason in
 * its title; in CI, where everything must be there, it fails.
 */
export function describeWith(title: string, needs: readonly Facility[], tests: () => void): void {
  const missing = missingFacilities(needs);
  if (missing.length === 0) {
    describe(title, tests);
  } else if (process.env["CI"]) {
    it(title, () => {
      throw new Error(`missing here, and CI must have it: ${missing.join(", ")}`);
    });
  } else {
    describe.skip(`${title} (skipped: missing here: ${missing.join(", ")})`, tests);
  }
}
