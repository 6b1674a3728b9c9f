import { run } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, it } from "vitest";
import { fillLayer, layers } from "./support/contents.ts";
import { drivers, Strata } from "./support/strata.ts";
import { expectSameTree } from "./support/trees.ts";
import { umociTree } from "./support/umoci.ts";

const image = "umoci.example/everything:latest";

describeWith("an image built by Umoci", ["root", "umoci", "setfattr", "setfacl", "setcap"], () => {
  let scratch: Scratch;
  let layout: string;
  let tree: string;

  beforeAll(async () => {
    scratch = new Scratch();
    layout = scratch.join("layout");
    await run("umoci", ["init", "--layout", layout]);
    await run("umoci", ["new", "--image", `${layout}:${image}`]);
    for (const script of layers) {
      const bundle = scratch.join(`bundle-${script}`);
      await fillLayer(script, await umociTree(`${layout}:${image}`, bundle));
      await run("umoci", ["repack", "--image", `${layout}:${image}`, bundle]);
    }
    tree = await umociTree(`${layout}:${image}`, scratch.join("bundle"));
  });

  afterAll(async () => {
    await scratch?.[Symbol.asyncDispose]();
  });

  it.each(drivers)("is the tree that Umoci unpacks, under %s", async (driver) => {
    const strata = new Strata(scratch, driver);
    await strata.load(layout);
    await expectSameTree(await strata.tree(image), tree);
  });
});
