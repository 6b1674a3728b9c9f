import { describeDriver, type Supports } from "@strata/conformance";
import { btrfs } from "@strata/driver-btrfs";

const supports: Supports = {
  sharesParent: true,
  readonlyViews: true,
  rebase: false,
  ownership: true,
  xattrs: true,
  hardlinksKeptOnWrite: true,
  quotaBytes: false,
  quotaInodes: false,
  maxDepth: 500,
};

describeDriver({
  name: "btrfs",
  create: btrfs,
  fileSystem: "btrfs",
  module: { url: import.meta.resolve("@strata/driver-btrfs"), factory: "btrfs" },
  supports,
});
