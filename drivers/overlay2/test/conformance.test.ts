import { describeDriver } from "@strata/conformance";
import { overlay2 } from "@strata/driver-overlay2";

describeDriver({
  name: "overlay2",
  create: overlay2,
  requires: ["root"],
  module: { url: import.meta.resolve("@strata/driver-overlay2"), factory: "overlay2" },
  supports: {
    sharesParent: true,
    readonlyViews: true,
    rebase: true,
    ownership: true,
    xattrs: true,
    hardlinksKeptOnWrite: false,
    quotaBytes: false,
    quotaInodes: false,
    maxDepth: 501,
  },
});
