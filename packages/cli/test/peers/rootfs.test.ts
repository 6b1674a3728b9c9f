import { bootstrap, ImageBuilder, installPackages, run, skopeoCopy } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Docker } from "./support/docker.ts";
import { drivers, Strata } from "./support/strata.ts";
import { expectSameTree } from "./support/trees.ts";
import { umociTree } from "./support/umoci.ts";

const image = "debian.example/with-packages:bookworm";
const needs = ["root", "mmdebstrap", "buildah", "skopeo", "umoci", "dockerd", "docker"];

describeWith("a Debian root file system with packages installed on top", needs, () => {
  let scratch: Scratch;
  let builder: ImageBuilder;
  let docker: Docker;
  let archive: string;
  let unpacked: string;

  beforeAll(async () => {
    scratch = new Scratch();
    builder = new ImageBuilder();
    await builder.layer("debian", bootstrap);
    await builder.layer("packages", (root) => installPackages(root, ["python3-minimal", "iputils-ping"]));
    archive = scratch.join("archive");
    await builder.copyTo(`docker-archive:${archive}:${image}`);
    docker = await Docker.start();
    await docker.load(archive);
    const layout = scratch.join("layout");
    await skopeoCopy(`docker-archive:${archive}`, `oci:${layout}:${image}`);
    unpacked = await umociTree(`${layout}:${image}`, scratch.join("bundle"));
  });

  afterAll(async () => {
    await docker?.[Symbol.asyncDispose]();
    await builder?.[Symbol.asyncDispose]();
    await scratch?.[Symbol.asyncDispose]();
  });

  describe.each(drivers)("under %s", (driver) => {
    let strata: Strata;
    let tree: string;

    beforeAll(async () => {
      strata = new Strata(scratch, driver);
      await strata.load(archive);
      tree = await strata.tree(image);
    });

    it("is the tree that Buildah mounts", async () => {
      await expectSameTree(tree, await builder.tree());
    });

    it("is the tree of Docker's overlay2", async () => {
      await expectSameTree(tree, await docker.tree(image));
    });

    it("is the tree that Umoci unpacks", async () => {
      await expectSameTree(tree, unpacked);
    });

    it("runs: the programs of both layers start in it", async () => {
      const program = "print(open('/etc/debian_version').read())";
      const { stdout } = await run("chroot", [tree, "python3", "-c", program]);
      expect(stdout).toMatch(/^12\./);
    });

    it("check finds nothing wrong", async () => {
      expect(await strata.run("check")).toBe("No problems found");
    });
  });
});
