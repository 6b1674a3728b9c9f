import { describeDriver } from "@strata/conformance";
import { btrfs } from "@strata/driver-btrfs";

describeDriver({
  name: "btrfs",
  // Other processes open it without the option: quotas are on by then, for the whole file system.
  create: (options) => btrfs({ ...options, enableQuota: true }),
  fileSystem: "btrfs",
  module: { url: import.meta.resolve("@strata/driver-btrfs"), factory: "btrfs" },
  supports: {
    sharesParent: true,
    readonlyViews: true,
    rebase: false,
    ownership: true,
    xattrs: true,
    hardlinksKeptOnWrite: true,
    quotaBytes: true,
    quotaInodes: false,
    maxDepth: 500,
  },
});
