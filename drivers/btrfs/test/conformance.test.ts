import { describeDriver } from "@strata/conformance";
import { btrfs } from "@strata/driver-btrfs";

describeDriver({
  name: "btrfs",
  create: btrfs,
  fileSystem: "btrfs",
  module: { url: import.meta.resolve("@strata/driver-btrfs"), factory: "btrfs" },
  supports: {
    sharesParent: true,
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
