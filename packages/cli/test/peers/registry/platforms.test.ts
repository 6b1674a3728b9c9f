import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field } from "./support/field.ts";
import { publishIndex } from "./support/published.ts";

const platforms = [
  { title: "of the host", options: [] },
  { title: "another", options: ["--platform=linux/arm64"] },
];

const tools = ["buildah", "docker", "dockerd", "docker-registry", "podman", "skopeo"];

describeWith("an index of images for several platforms", ["root", ...tools], () => {
  let field: Field;
  let registry: DockerRegistry;

  beforeAll(async () => {
    field = new Field();
    registry = await DockerRegistry.start();
  });

  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  describe.each(["oci", "v2s2"] as const)("in the form %s", (format) => {
    let strata: Strata;
    let reference: string;

    beforeAll(async () => {
      strata = field.strata("overlay2", format);
      reference = `${registry.host}/${format}/list:1`;
      await publishIndex(field, reference, format);
    });

    it.each(platforms)("gives the image that Podman and Docker choose, $title", async ({ options }) => {
      await strata.run("pull", ...options, reference);
      const ours = { id: await strata.imageId(reference), tree: await strata.tree(reference) };
      for (const peer of ["podman", "docker"] as const) {
        const theirs = await field.pull(peer, reference, ...options);
        expect(ours.id, peer).toBe(theirs.id);
        await expectSameTree(ours.tree, theirs.tree);
      }
      expect(await strata.digest(reference)).toBe(await field.digestOf(reference));
    });
  });
});
