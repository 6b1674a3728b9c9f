import { mkdirSync, writeFileSync } from "node:fs";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildContext, toolsArchive } from "./support/contents.ts";
import { Docker } from "./support/docker.ts";
import { drivers, Strata } from "./support/strata.ts";
import { expectSameTree } from "./support/trees.ts";

const everything = "docker.example/everything:latest";
const imported = "docker.example/imported:1";
const fromScratch = "docker.example/team/from-scratch:v2";
const images = [everything, imported, fromScratch];

describeWith("images built by Docker", ["root", "dockerd", "docker", "mmdebstrap"], () => {
  let scratch: Scratch;
  let docker: Docker;

  beforeAll(async () => {
    scratch = new Scratch();
    await using builder = await Docker.start();
    await builder.run("import", await toolsArchive(), imported);
    const context = buildContext(scratch.join("context"), imported);
    await builder.run("build", "--network=none", "--tag", everything, context);
    await builder.run("build", "--tag", fromScratch, scratchContext(scratch.join("scratch-context")));
    await builder.run("save", "--output", scratch.join("saved"), ...images);
    // What Docker built may hold more than it writes to an archive (user.* attributes); what it loads is the archive.
    docker = await Docker.start();
    await docker.load(scratch.join("saved"));
  });

  afterAll(async () => {
    await docker?.[Symbol.asyncDispose]();
    await scratch?.[Symbol.asyncDispose]();
  });

  describe.each(drivers)("under %s", (driver) => {
    let strata: Strata;

    beforeAll(async () => {
      strata = new Strata(scratch, driver);
      await strata.load(scratch.join("saved"));
    });

    it.each(images)("%s is the tree of Docker's overlay2", async (image) => {
      await expectSameTree(await strata.tree(image), await docker.tree(image));
    });

    it.each(images)("%s has the image ID that Docker gave it", async (image) => {
      expect(await strata.imageId(image)).toBe(await docker.imageId(image));
    });
  });
});

/** A build that starts from nothing and has lines that make no layer. */
function scratchContext(path: string): string {
  mkdirSync(`${path}/files/sub`, { recursive: true });
  writeFileSync(`${path}/files/hello`, "hello\n");
  writeFileSync(`${path}/files/sub/deep`, "deep\n", { mode: 0o600 });
  const lines = ["FROM scratch", "ENV A=b", "COPY files /", "COPY files/hello /sub/hello", 'CMD ["/hello"]'];
  writeFileSync(`${path}/Dockerfile`, `${lines.join("\n")}\n`);
  return path;
}
