import { describeDriver } from "@strata/conformance";
import { example } from "driver-example";

describeDriver({
  name: "example",
  create: example,
  requires: ["root"],
  module: { url: import.meta.resolve("driver-example"), factory: "example" },
  supports: {
    sharesParent: false,
    readonlyViews: false,
    rebase: false,
    ownership: true,
    xattrs: true,
    hardlinksKeptOnWrite: true,
    quotaBytes: false,
    quotaInodes: false,
    maxDepth: 500,
  },
});
