import type { DriverUnderTest } from "@strata/conformance";
import { disk as create } from "./disk-driver.ts";

/** The driver on disk, as it is held to the suite. */
export const disk: DriverUnderTest = {
  name: "disk",
  create,
  requires: ["root"],
  supports: {
    sharesParent: false,
    readonlyViews: false,
    rebase: false,
    ownership: true,
    xattrs: true,
    hardlinksKeptOnWrite: true,
    quotaBytes: false,
    quotaInodes: false,
    maxDepth: 130,
  },
};
