import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field, type PulledImage, users } from "./support/field.ts";
import { publish, published } from "./support/published.ts";

const tools = ["buildah", "docker", "dockerd", "docker-registry", "podman", "skopeo", "umoci"];

describeWith("an image in a registry", ["root", ...tools, "setfattr", "setfacl", "setcap"], () => {
  let field: Field;
  let registry: DockerRegistry;

  beforeAll(async () => {
    field = new Field();
    registry = await DockerRegistry.start({ users });
    await field.logIn(registry.host);
    await publish(field, registry.host);
  });

  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  describe.each(published)("$name", ({ name, layerType, driver, peers }) => {
    let reference: string;
    let strata: Strata;
    let ours: PulledImage;

    beforeAll(() => {
      reference = `${registry.host}/${name}`;
    });

    it(`has layers of ${layerType}`, async () => {
      const { layers } = JSON.parse(await field.skopeo("inspect", "--raw", `docker://${reference}`));
      expect(layers[0].mediaType).toBe(layerType);
    });

    it(`is pulled under ${driver}`, async () => {
      strata = field.strata(driver, name.replace("/", "-"));
      await strata.run("pull", "--quiet", reference);
      expect(await strata.digest(reference)).toBe(await field.digestOf(reference));
      ours = { id: await strata.imageId(reference), tree: await strata.tree(reference) };
    });

    it.each(peers)("is then the same as %s has it", async (peer) => {
      const theirs = await field.pull(peer, reference);
      expect(ours.id).toBe(theirs.id);
      await expectSameTree(ours.tree, theirs.tree);
    });

    it("is pushed as it was pulled, and its layers are mounted", async () => {
      const copy = `${registry.host}/copies/${name}`;
      await strata.run("tag", reference, copy);
      registry.proxy.requests.length = 0;
      await strata.run("push", copy);
      const sent = registry.proxy.log.filter((line) => /^(PUT|PATCH) .*\/uploads\//.test(line));
      expect(sent).toEqual([]);
      expect(await field.digestOf(copy)).toBe(await field.digestOf(reference));
      const [peer] = peers;
      expect((await field.pull(peer, copy)).id).toBe(ours.id);
    });
  });
});
