import { mkdirSync } from "node:fs";
import { run, skopeoCopy } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, it } from "vitest";
import { layerScripts } from "./support/contents.ts";
import { Docker } from "./support/docker.ts";
import { dockerArchive } from "./support/docker-archive.ts";
import { drivers, Strata } from "./support/strata.ts";
import { expectSameTree } from "./support/trees.ts";
import { umociTree } from "./support/umoci.ts";

const image = "handmade.example/image:latest";

describeWith(
  "layers that no builder makes",
  ["root", "dockerd", "docker", "skopeo", "umoci", "setfattr"],
  () => {
    let scratch: Scratch;

    beforeAll(async () => {
      scratch = new Scratch();
      mkdirSync(scratch.join("layers"));
      await run("sh", [`${layerScripts}handmade.sh`, scratch.join("layers")]);
    });

    afterAll(async () => {
      await scratch?.[Symbol.asyncDispose]();
    });

    it("make the tree that Docker makes of them: every tar format, marks in odd places", async () => {
      const archive = await dockerArchive(scratch, image, layerTars(1, 2, 3, 4, 5, 6));
      await using docker = await Docker.start();
      await docker.load(archive);
      for (const driver of drivers) {
        const strata = new Strata(scratch, driver, "docker");
        await strata.load(archive);
        await expectSameTree(await strata.tree(image), await docker.tree(image));
      }
    });

    it("make the tree that Umoci makes of them: duplicates, links to the layer below, no entries of parents", async () => {
      const archive = await dockerArchive(scratch, image, layerTars(1, 4, 7));
      await skopeoCopy(`docker-archive:${archive}`, `oci:${scratch.join("layout")}:${image}`);
      const theirs = await umociTree(`${scratch.join("layout")}:${image}`, scratch.join("bundle"));
      for (const driver of drivers) {
        const strata = new Strata(scratch, driver, "umoci");
        await strata.load(archive);
        // Directories made on the way have no time of their own; Umoci gives them the time of unpacking.
        await expectSameTree(await strata.tree(image), theirs, { root: true, ignore: ["mtime"] });
      }
    });

    it("make the tree that GNU tar makes of them: its own sparse files", async () => {
      const theirs = scratch.join("extracted");
      mkdirSync(theirs);
      await run("tar", ["--numeric-owner", "-C", theirs, "-xpf", scratch.join("layers", "8.tar")]);
      for (const driver of drivers) {
        const strata = new Strata(scratch, driver, "tar");
        await strata.run("import", scratch.join("layers", "8.tar"), image);
        await expectSameTree(await strata.tree(image), theirs);
      }
    });

    function layerTars(...numbers: readonly number[]): string[] {
      return numbers.map((number) => scratch.join("layers", `${number}.tar`));
    }
  },
);
