import { writeFileSync } from "node:fs";
import { ImageBuilder } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { hash } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Authority } from "../../../../registry/test/support/certificates.ts";
import { fillLayer, layers } from "../support/contents.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field, type PulledImage, users } from "./support/field.ts";
import { pushers } from "./support/pushers.ts";
import { Serving } from "./support/serving.ts";

const tools = ["buildah", "docker", "dockerd", "openssl", "podman", "skopeo", "umoci"];
const image = "everything:1";

describeWith("the images of a store that is served", ["root", ...tools, "busybox", "setfattr"], () => {
  let field: Field;
  let strata: Strata;
  let builder: ImageBuilder;
  let ours: PulledImage;
  let authority: Authority;

  beforeAll(async () => {
    field = new Field();
    authority = await Authority.make(field.scratch);
    builder = new ImageBuilder();
    for (const script of layers) await builder.layer(script, (root) => fillLayer(script, root));
    await builder.copyTo(`docker-archive:${field.scratch.join("archive")}:${image}`);
    strata = field.strata("overlay2");
    await strata.load(field.scratch.join("archive"));
    ours = { id: await strata.imageId(image), tree: await strata.tree(image) };
  });

  afterAll(async () => {
    await builder?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  const served = [
    { kind: "openly", pulls: ["docker", "podman"], pushes: ["docker", "buildah"] },
    { kind: "to users", pulls: ["docker", "podman"], pushes: ["docker", "skopeo"] },
    { kind: "to users, over TLS", pulls: ["docker", "umoci"], pushes: ["docker", "podman"] },
  ] as const;

  describe.each(served)("$kind", ({ kind, pulls, pushes }) => {
    let serving: Serving;

    beforeAll(async () => {
      const options = kind === "openly" ? [] : [`--htpasswd=${await htpasswd(field)}`];
      if (kind.endsWith("TLS")) {
        const { cert, key } = await authority.issue();
        options.push(`--tls-cert=${cert}`, `--tls-key=${key}`);
      }
      serving = await Serving.start(strata, ...options);
      if (kind.endsWith("TLS")) field.trust(serving.host, authority.path);
      if (kind !== "openly") await field.logIn(serving.host);
    });

    afterAll(async () => {
      expect(await serving?.end()).toBe(0);
    });

    it.each(pulls)("are what %s pulls", async (peer) => {
      const theirs = await field.pull(peer, `${serving.host}/${image}`);
      expect(theirs.id).toBe(ours.id);
      await expectSameTree(ours.tree, theirs.tree);
    });

    it("go to another store and come back under another name", async () => {
      const at = served.findIndex((other) => other.kind === kind);
      const other = field.strata("vfs", `other-${at}`);
      const [there, back] = [`${serving.host}/${image}`, `by-strata/${at}:1`];
      await other.run("pull", "--quiet", there);
      await other.run("tag", there, `${serving.host}/${back}`);
      await other.run("push", "--quiet", `${serving.host}/${back}`);
      expect(await strata.imageId(back)).toBe(ours.id);
      expect(await strata.digest(back)).toBe(await strata.digest(image));
    });

    it.each(pushes)("include what %s pushes, as it is there", async (tool) => {
      const reference = `by-${tool}/${served.findIndex((other) => other.kind === kind)}:1`;
      const theirs = await pushers[tool](field, `${serving.host}/${image}`, `${serving.host}/${reference}`);
      const listed = await strata.run("images", "--format={{.Repository}}:{{.Tag}}");
      expect(listed.split("\n")).toContain(reference);
      expect(await strata.imageId(reference)).toBe(theirs.id);
      await expectSameTree(await strata.tree(reference), theirs.tree);
    });

    it("have tags, which skopeo lists as strata does, and deletes", async () => {
      for (const tag of ["1", "2"]) await strata.run("tag", image, `short/lived:${tag}`);
      const name = `${serving.host}/short/lived`;
      const listed = JSON.parse(await field.skopeo("list-tags", `docker://${name}`));
      expect(listed).toMatchObject({ Tags: ["1", "2"] });
      expect(await strata.run("tags", name)).toBe("1\n2");
      await field.skopeo("delete", `docker://${name}:1`);
      expect(await strata.run("images", "--quiet", "short/lived")).toBe("");
      expect(await strata.imageId(image)).toBe(ours.id);
    });
  });

  it("are sound in the end", async () => {
    expect(await strata.run("check")).toBe("No problems found");
  });
});

async function htpasswd(field: Field): Promise<string> {
  const path = field.scratch.join("htpasswd");
  writeFileSync(path, `ann:${await hash(users.ann, 4)}\n`);
  return path;
}
