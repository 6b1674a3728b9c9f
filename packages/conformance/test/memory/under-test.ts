import type { DriverUnderTest } from "@strata/conformance";
import { MemoryDriver } from "./memory-driver.ts";

/** The driver in memory, as it is held to the suite. */
export const memory: DriverUnderTest = {
  name: "memory",
  create: async (options) => new MemoryDriver(options),
  requires: ["root"],
  persistent: false,
  supports: {
    sharesParent: false,
    readonlyViews: true,
    rebase: false,
    ownership: true,
    xattrs: true,
    hardlinksKeptOnWrite: true,
    quotaBytes: true,
    quotaInodes: true,
    maxDepth: 130,
  },
};
