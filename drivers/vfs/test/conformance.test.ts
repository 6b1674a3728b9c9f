import { describeDriver } from "@strata/conformance";
import { vfs } from "@strata/driver-vfs";

describeDriver({
  name: "vfs",
  create: vfs,
  requires: ["root"],
  module: { url: import.meta.resolve("@strata/driver-vfs"), factory: "vfs" },
  supports: {
    sharesParent: false,
    readonlyViews: true,
    rebase: false,
    ownership: true,
    xattrs: true,
    hardlinksKeptOnWrite: true,
    quotaBytes: false,
    quotaInodes: false,
    maxDepth: 500,
  },
});
