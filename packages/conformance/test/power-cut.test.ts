import { groups, missingFacilities, runBehaviour } from "@strata/conformance/suite";
import { expect, test } from "vitest";
import { example } from "../template/src/example.ts";

const missing = missingFacilities(["root", "mkfs.ext4"]);
if (missing.length > 0) {
  if (process.env["CI"]) throw new Error(`in CI, power cuts must be tried: that needs ${missing.join(", ")}`);
  console.log(`skipped: power cuts, which need ${missing.join(", ")}`);
}

const ids = ["committed-survives-power-cut", "one-sync-for-several", "labels-survive-power-cut"];

test.runIf(missing.length === 0).each(ids)(
  "%s: with durability none it fails, with commit it holds",
  async (id) => {
    const behaviour = groups.flatMap(({ behaviours }) => behaviours).find((each) => each.id === id);
    if (behaviour === undefined) throw new Error(`there is no ${id}`);
    const supports = {
      sharesParent: false,
      readonlyViews: false,
      rebase: false,
      ownership: true,
      xattrs: true,
      hardlinksKeptOnWrite: true,
      quotaBytes: false,
      quotaInodes: false,
      maxDepth: 500,
    };
    const sound = { name: "example", create: example, supports };
    const forgetful: typeof sound = {
      ...sound,
      create: (options) => example({ ...options, durability: "none" }),
    };
    expect(await runBehaviour(behaviour, sound)).toMatchObject({ status: "passed" });
    expect(await runBehaviour(behaviour, forgetful)).toMatchObject({ status: "failed" });
  },
);
