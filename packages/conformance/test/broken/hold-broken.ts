import type { DriverUnderTest } from "@strata/conformance";
import {
  groups as allGroups,
  type Behaviour,
  missingFacilities,
  runBehaviour,
} from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { memory } from "../memory/under-test.ts";
import type { BrokenDriver } from "./broken-driver.ts";

/**
 * Left out, for time's sake: what takes longest with the driver in memory. These do at length what others do shortly, so
 * that no driver here is broken in a way that only they would see.
 */
const lengthy: ReadonlySet<string> = new Set([
  "abort-in-mid-apply",
  "10k-entry-directory",
  "128-layers",
  "long-soak-leaks-nothing",
  "many-levels",
  "model-based-random-operations",
  "symlink-swap-during-extract",
]);

export interface HoldBrokenOptions {
  /** The driver that the broken ones are made from, as it is held to the suite. @defaultValue that in memory */
  readonly whole?: DriverUnderTest;
  /**
   * The names of the groups that they are held to.
   * @defaultValue all but confinement: what a hostile layer shows of these, one that means well shows too
   */
  readonly groups?: readonly string[];
  /** Which of these groups' behaviours. @defaultValue all */
  readonly only?: (behaviour: Behaviour) => boolean;
}

/** That each of some broken drivers fails exactly the behaviours that it should. */
export function holdBroken(
  kind: string,
  drivers: readonly BrokenDriver[],
  {
    whole = memory,
    groups = ["lifecycle", "content", "changes", "mounts", "faults"],
    only = () => true,
  }: HoldBrokenOptions = {},
): void {
  const isRoot = missingFacilities(["root"]).length === 0;
  if (!isRoot && process.env["CI"]) throw new Error("CI must run these tests as root");
  if (!isRoot) console.log("skipped: broken drivers, which need root");
  describe.skipIf(!isRoot)(`broken in ${kind}`, () => {
    it.each(drivers)(
      "a driver that $flaw",
      { timeout: 600_000 },
      async ({ create, module, supports, fails }) => {
        const under = {
          ...whole,
          create,
          supports: { ...whole.supports, ...supports },
          ...(module !== undefined && { module }),
        };
        const behaviours = allGroups
          .filter(({ name }) => groups.includes(name))
          .flatMap((group) => group.behaviours)
          .filter((behaviour) => !lengthy.has(behaviour.id) && only(behaviour));
        expect(await failuresOf(under, behaviours)).toEqual([...fails].sort());
      },
    );
  });
}

async function failuresOf(under: DriverUnderTest, behaviours: readonly Behaviour[]): Promise<string[]> {
  const failures: string[] = [];
  for (const behaviour of behaviours) {
    const { status } = await runBehaviour(behaviour, under);
    if (status === "failed") failures.push(behaviour.id);
  }
  return failures.sort();
}
