import { writeFileSync } from "node:fs";
import { ImageBuilder } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FaultyProxy } from "../../../../registry/test/support/faulty-proxy.ts";
import { fillLayer, layers } from "../support/contents.ts";
import type { Strata } from "../support/strata.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field } from "./support/field.ts";
import { Serving } from "./support/serving.ts";

const image = "team/everything:1";

describeWith("two stores, of which one is served to the other", ["root", "buildah", "setfattr"], () => {
  let field: Field;
  let first: Strata;
  let second: Strata;
  let serving: Serving;
  let proxy: FaultyProxy;
  let tree: string;

  beforeAll(async () => {
    field = new Field();
    [first, second] = [field.strata("overlay2", "first"), field.strata("vfs", "second")];
    await using builder = new ImageBuilder();
    for (const script of layers) await builder.layer(script, (root) => fillLayer(script, root));
    await builder.copyTo(`oci-archive:${field.scratch.join("archive")}:${image}`);
    await first.load(field.scratch.join("archive"));
    tree = await first.tree(image);
    serving = await Serving.start(first);
    proxy = await FaultyProxy.start(serving.url);
  });

  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await serving?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  it("have the same image after a pull, and again nothing to do", async () => {
    const reference = `${proxy.host}/${image}`;
    await second.run("pull", reference);
    expect(await second.imageId(reference)).toBe(await first.imageId(image));
    expect(await second.digest(reference)).toBe(await first.digest(image));
    await expectSameTree(await second.tree(reference), tree);

    proxy.requests.length = 0;
    expect(await second.run("pull", reference)).toContain("Status: Image is up to date for ");
    expect(proxy.log).toEqual([`HEAD /v2/team/everything/manifests/1`]);
  });

  it("send each other what is new, and nothing else", async () => {
    const container = await second.run("create", `${proxy.host}/${image}`);
    writeFileSync(`${await second.run("mount", container)}/new`, "new\n");
    await second.run("umount", container);
    const target = `${proxy.host}/team/changed:1`;
    await second.run("commit", "--quiet", container, target);

    proxy.requests.length = 0;
    const printed = await second.run("push", target);
    // The new layer and the config.
    expect(proxy.log.filter((line) => line.startsWith("POST"))).toHaveLength(2);
    expect(printed.match(/: Pushed$/gm)).toHaveLength(1);
    expect(printed.match(/: (Layer already exists|Mounted from \S+)$/gm)).toHaveLength(layers.length);

    expect(await first.imageId("team/changed:1")).toBe(await second.imageId(target));
    expect(await first.digest("team/changed:1")).toBe(await second.digest(target));
    await expectSameTree(await first.tree("team/changed:1"), await second.tree(target));

    const third = field.strata("overlay2", "third");
    const byDigest = `${proxy.host}/team/changed@${await first.digest("team/changed:1")}`;
    await third.run("pull", byDigest);
    expect(await third.imageId(byDigest)).toBe(await second.imageId(target));
    for (const strata of [first, second]) expect(await strata.run("check")).toBe("No problems found");
  });
});
