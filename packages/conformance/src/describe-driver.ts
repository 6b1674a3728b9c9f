import { afterAll, beforeAll, describe, it } from "vitest";
import type { DriverUnderTest } from "./driver-under-test.ts";
import { groups } from "./groups/index.ts";
import { missingFacilities } from "./host/facilities.ts";
import { RootFileSystem } from "./host/root-file-system.ts";
import { runBehaviour } from "./run-behaviour.ts";

/** For what waits for disks and other processes; no measure of speed. */
const timeoutMs = 120_000;

/**
 * Hold a driver to the suite, in a test file of vitest: one test a behaviour.
 *
 * What the driver's capabilities exclude is skipped, with the reason. So is what the host lacks a facility for; but with
 * `CI` set in the environment, that fails.
 */
export function describeDriver(under: DriverUnderTest): void {
  const inCI = Boolean(process.env["CI"]);
  const loop = under.fileSystem === undefined ? [] : ["root", `mkfs.${under.fileSystem}`];
  const missing = missingFacilities([...new Set([...(under.requires ?? []), ...loop])]);
  if (missing.length > 0 && !inCI) console.log(`skipped: ${under.name}, which needs ${missing.join(", ")}`);

  describe.skipIf(missing.length > 0 && !inCI)(`${under.name} conforms`, () => {
    let fileSystem: RootFileSystem;
    const skipped = new Map<string, string[]>();

    beforeAll(async () => {
      if (missing.length > 0) throw new Error(`the host lacks ${missing.join(", ")}`);
      fileSystem = await RootFileSystem.make(under);
    }, timeoutMs);
    afterAll(async () => {
      for (const [reason, ids] of skipped)
        console.log(`skipped: ${under.name}: ${ids.join(", ")}: ${reason}`);
      await fileSystem?.[Symbol.asyncDispose]();
    }, timeoutMs);

    for (const group of groups) {
      describe(group.title, () => {
        for (const behaviour of group.behaviours) {
          it(behaviour.title, { timeout: timeoutMs }, async (context) => {
            const outcome = await runBehaviour(behaviour, under, fileSystem.directory);
            if (outcome.status === "failed") throw outcome.error;
            if (outcome.status === "passed") return;
            if (outcome.missing && inCI) throw new Error(outcome.reason);
            skipped.set(outcome.reason, [...(skipped.get(outcome.reason) ?? []), behaviour.id]);
            context.skip(outcome.reason);
          });
        }
      });
    }
  });
}
