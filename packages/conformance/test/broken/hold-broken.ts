import { groups, missingFacilities, runBehaviour } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { memory } from "../memory/under-test.ts";
import type { BrokenDriver } from "./broken-driver.ts";

/**
 * Left out, for time's sake: what takes seconds with the driver in memory. These do at length what others do shortly, so
 * that no driver here is broken in a way that only they would see.
 */
const lengthy: ReadonlySet<string> = new Set([
  "10k-entry-directory",
  "128-layers",
  "long-soak-leaks-nothing",
  "many-levels",
  "model-based-random-operations",
  "symlink-swap-during-extract",
]);

/** That each of some broken drivers fails exactly the behaviours that it should. */
export function holdBroken(group: string, drivers: readonly BrokenDriver[]): void {
  const isRoot = missingFacilities(["root"]).length === 0;
  if (!isRoot && process.env["CI"]) throw new Error("CI must run these tests as root");
  if (!isRoot) console.log("skipped: broken drivers, which need root");
  describe.skipIf(!isRoot)(`broken in ${group}`, () => {
    it.each(drivers)("a driver that $flaw", async ({ create, supports, fails }) => {
      expect(await failuresOf(create, supports)).toEqual([...fails].sort());
    });
  });
}

async function failuresOf(
  create: BrokenDriver["create"],
  supports: BrokenDriver["supports"],
): Promise<string[]> {
  const failures: string[] = [];
  const under = { ...memory, create, supports: { ...memory.supports, ...supports } };
  for (const behaviour of groups.flatMap(({ behaviours }) => behaviours)) {
    if (lengthy.has(behaviour.id)) continue;
    const { status } = await runBehaviour(behaviour, under);
    if (status === "failed") failures.push(behaviour.id);
  }
  return failures.sort();
}
