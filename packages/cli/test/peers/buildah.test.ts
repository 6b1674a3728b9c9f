import { ImageBuilder } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, it } from "vitest";
import { fillLayer, layers } from "./support/contents.ts";
import { drivers, Strata } from "./support/strata.ts";
import { expectSameTree } from "./support/trees.ts";

const image = "buildah.example/everything:latest";

describeWith(
  "an image built by Buildah",
  ["root", "buildah", "skopeo", "setfattr", "setfacl", "setcap"],
  () => {
    let scratch: Scratch;
    let builder: ImageBuilder;
    let tree: string;

    beforeAll(async () => {
      scratch = new Scratch();
      builder = new ImageBuilder();
      for (const script of layers) await builder.layer(script, (root) => fillLayer(script, root));
      tree = await builder.tree();
      await builder.copyTo(`docker-archive:${scratch.join("docker-archive")}:${image}`);
      await builder.copyTo(`oci-archive:${scratch.join("oci-archive")}:${image}`);
      await builder.copyTo(`oci:${scratch.join("oci")}:${image}`);
    });

    afterAll(async () => {
      await builder?.[Symbol.asyncDispose]();
      await scratch?.[Symbol.asyncDispose]();
    });

    describe.each(drivers)("under %s", (driver) => {
      it.each(["docker-archive", "oci-archive", "oci"])(
        "is the tree that Buildah mounts, from %s",
        async (form) => {
          const strata = new Strata(scratch, driver, `from-${form}`);
          await strata.load(scratch.join(form));
          await expectSameTree(await strata.tree(image), tree);
        },
      );
    });
  },
);
