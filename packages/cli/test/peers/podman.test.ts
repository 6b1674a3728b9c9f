import { ContainersStorage } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, it } from "vitest";
import { buildContext, toolsArchive } from "./support/contents.ts";
import { drivers, Strata } from "./support/strata.ts";
import { expectSameTree } from "./support/trees.ts";

const image = "podman.example/everything:latest";

describeWith("an image built by Podman", ["root", "podman", "mmdebstrap"], () => {
  let scratch: Scratch;
  let storage: ContainersStorage;
  let tree: string;

  beforeAll(async () => {
    scratch = new Scratch();
    storage = new ContainersStorage();
    await storage.podman("import", await toolsArchive(), "tools.example/base");
    const context = buildContext(scratch.join("context"), "tools.example/base");
    const isolation = ["--isolation=chroot", "--cap-add=all"];
    await storage.podman("build", "--layers", ...isolation, "--tag", image, context);
    tree = (await storage.podman("image", "mount", image)).stdout.trim();
    for (const form of ["docker-archive", "oci-archive"]) {
      await storage.podman("save", "--format", form, "--output", scratch.join(form), image);
    }
  });

  afterAll(async () => {
    await storage?.[Symbol.asyncDispose]();
    await scratch?.[Symbol.asyncDispose]();
  });

  describe.each(drivers)("under %s", (driver) => {
    it.each(["docker-archive", "oci-archive"])(
      "is the tree that Podman mounts, from its %s",
      async (form) => {
        const strata = new Strata(scratch, driver, `from-${form}`);
        await strata.load(scratch.join(form));
        await expectSameTree(await strata.tree(image), tree);
      },
    );
  });
});
