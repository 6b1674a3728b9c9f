import { readdirSync } from "node:fs";
import { missingFacilities, mountsBelow, Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, describe, expect, it, type TestAPI } from "vitest";

/** A directory for each test, in which nothing may be left or mounted when the test is over. */
export function useScratch(): Pick<Scratch, "path"> {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(async () => {
    const left = [...mountsBelow(scratch.path), ...readdirSync(scratch.path)];
    await scratch[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });
  return {
    get path() {
      return scratch.path;
    },
  };
}

/**
 * The same tests with a driver that stacks layers and with one that copies them. Where one of them is not possible, its
 * tests are skipped, and the title says why; in CI they fail.
 */
export function describeEachDriver(
  title: string,
  tests: (name: "overlay2" | "vfs", itIfPossible: ReturnType<TestAPI["skipIf"]>) => void,
): void {
  for (const name of ["overlay2", "vfs"] as const) {
    const missing = name === "overlay2" ? missingFacilities(["root"]) : [];
    const reason = missing.length === 0 ? "" : ` (missing here: ${missing.join(", ")})`;
    describe(`${title} ${name}${reason}`, () =>
      tests(name, it.skipIf(missing.length > 0 && !process.env["CI"])));
  }
}
