import { mkdirSync } from "node:fs";
import { ImageBuilder, run } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import { fillLayer, layerScripts, layers } from "../support/contents.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field, type PulledImage, users } from "./support/field.ts";

const tools = ["buildah", "docker", "dockerd", "docker-registry", "podman", "skopeo", "umoci"];

describeWith("an image of the store", ["root", ...tools, "busybox", "setfattr"], () => {
  let field: Field;
  let registry: DockerRegistry;
  let strata: Strata;

  beforeAll(async () => {
    field = new Field();
    registry = await DockerRegistry.start({ users });
    await field.logIn(registry.host);
    strata = field.strata("overlay2");
  });

  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  const images = [
    { kind: "loaded", make: load, peers: ["docker", "podman", "umoci"] },
    { kind: "committed", make: commit, peers: ["docker", "podman", "umoci"] },
  ] as const;

  describe.each(images)("that was $kind", ({ kind, make, peers }) => {
    let reference: string;
    let ours: PulledImage;

    beforeAll(async () => {
      reference = `${registry.host}/${kind}/image:1`;
      await make(field, strata, reference);
      ours = { id: await strata.imageId(reference), tree: await strata.tree(reference) };
    });

    it("is pushed under the digest that it has here", async () => {
      const printed = await strata.run("push", reference);
      const digest = await field.digestOf(reference);
      expect(printed).toMatch(new RegExp(`^1: digest: ${digest} size: \\d+$`, "m"));
      expect(await strata.digest(reference)).toBe(digest);
    });

    it.each(peers)("is the same to %s", async (peer) => {
      const theirs = await field.pull(peer, reference);
      expect(theirs.id).toBe(ours.id);
      await expectSameTree(ours.tree, theirs.tree);
    });

    it("is not sent again", async () => {
      registry.proxy.requests.length = 0;
      expect(await strata.run("push", reference)).toContain(": Layer already exists");
      expect(registry.proxy.log.filter((line) => line.includes("/uploads/"))).toEqual([]);
    });
  });

  it("is not pushed by somebody who is not logged in", async () => {
    await strata.run("logout", registry.host);
    await expect(strata.run("push", `${registry.host}/loaded/image:1`)).rejects.toThrow(
      /no basic auth credentials/,
    );
    await strata.run("login", "--username=ann", `--password=${users.ann}`, registry.host);
    await strata.run("push", `${registry.host}/loaded/image:1`);
    // Podman reads what Strata wrote.
    await field.podman("pull", "--quiet", `${registry.host}/loaded/image:1`);
  });
});

async function load(field: Field, strata: Strata, reference: string): Promise<void> {
  const archive = field.scratch.join("archive");
  await using builder = new ImageBuilder();
  for (const script of layers) await builder.layer(script, (root) => fillLayer(script, root));
  await builder.copyTo(`docker-archive:${archive}:${reference}`);
  await strata.load(archive);
}

async function commit(field: Field, strata: Strata, reference: string): Promise<void> {
  const root = field.scratch.join("root");
  mkdirSync(root);
  await run("sh", [`${layerScripts}busybox.sh`, root]);
  await strata.run("import", root, "imported");
  const container = await strata.run("create", "imported");
  await run("sh", [`${layerScripts}commit.sh`, await strata.run("mount", container)]);
  await strata.run("umount", container);
  await strata.run("commit", "--quiet", container, reference);
}
