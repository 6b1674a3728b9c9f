import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ContainersStorage, ImageBuilder, run, skopeoCopy } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fillLayer, layers } from "./support/contents.ts";
import { Docker } from "./support/docker.ts";
import { drivers, Strata } from "./support/strata.ts";
import { expectSameTree } from "./support/trees.ts";
import { umociTree } from "./support/umoci.ts";

const image = "round.example/trip:1";
const needs = [
  "root",
  "buildah",
  "podman",
  "skopeo",
  "umoci",
  "dockerd",
  "docker",
  "setfattr",
  "setfacl",
  "setcap",
];

describeWith("an image that was loaded", needs, () => {
  let scratch: Scratch;

  beforeAll(async () => {
    scratch = new Scratch();
    await using builder = new ImageBuilder();
    for (const script of layers) await builder.layer(script, (root) => fillLayer(script, root));
    await builder.copyTo(`docker-archive:${scratch.join("archive")}:${image}`);
  });

  afterAll(async () => {
    await scratch?.[Symbol.asyncDispose]();
  });

  describe.each(drivers)("under %s", (driver) => {
    let strata: Strata;
    let saved: string;

    beforeAll(async () => {
      strata = new Strata(scratch, driver);
      await strata.load(scratch.join("archive"));
      saved = scratch.join(`saved-${driver}`);
      await strata.run("save", "--output", saved, image);
    });

    it("is saved as the same bytes each time", async () => {
      await strata.run("save", "--output", `${saved}-again`, image);
      expect(sha256(`${saved}-again`)).toBe(sha256(saved));
    });

    it("keeps every digest through save and load", async () => {
      const second = new Strata(scratch, driver, "second");
      await second.load(saved);
      expect(await second.run(...listing)).toBe(await strata.run(...listing));
      await second.run("save", "--output", `${saved}-by-second`, image);
      expect(sha256(`${saved}-by-second`)).toBe(sha256(saved));
    });

    it("loads in Docker under the same image ID, as the same tree", async () => {
      await using docker = await Docker.start();
      await docker.load(saved);
      expect(await docker.imageId(image)).toBe(await strata.imageId(image));
      await expectSameTree(await strata.tree(image), await docker.tree(image));
    });

    it("loads in Podman under the same image ID, as the same tree", async () => {
      await using storage = new ContainersStorage();
      await storage.podman("load", "--input", saved);
      const id = await storage.podman("image", "inspect", "--format", "{{.Id}}", image);
      expect(`sha256:${id.stdout.trim()}`).toBe(await strata.imageId(image));
      const tree = await storage.podman("image", "mount", image);
      await expectSameTree(await strata.tree(image), tree.stdout.trim());
    });

    it("is read by Skopeo from the saved archive, in both of its layouts", async () => {
      for (const transport of ["docker-archive", "oci-archive"]) {
        const { stdout } = await run("skopeo", [
          "inspect",
          "--config",
          "--raw",
          `${transport}:${saved}:${image}`,
        ]);
        const id = createHash("sha256").update(stdout).digest("hex");
        expect(`sha256:${id}`, transport).toBe(await strata.imageId(image));
      }
    });

    it("is read by Skopeo and Umoci from the store's directory as it stands", async () => {
      const inStore = `${strata.root}:${await fullName(strata)}`;
      await skopeoCopy(`oci:${inStore}`, `oci:${scratch.join(`copy-${driver}`)}:copy`);
      const copied = await umociTree(
        `${scratch.join(`copy-${driver}`)}:copy`,
        scratch.join(`copied-${driver}`),
      );
      const read = await umociTree(inStore, scratch.join(`read-${driver}`));
      const ours = await strata.tree(image);
      await expectSameTree(ours, read);
      await expectSameTree(ours, copied);
    });
  });

  it("is saved as the same bytes under every driver", () => {
    const digests = new Set(drivers.map((driver) => sha256(scratch.join(`saved-${driver}`))));
    expect(digests.size).toBe(1);
  });
});

const listing = [
  "images",
  "--digests",
  "--no-trunc",
  "--format",
  "{{.Repository}} {{.Tag}} {{.Digest}} {{.ID}}",
];

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** What the store's index calls its one image. */
async function fullName(strata: Strata): Promise<string> {
  const index = JSON.parse(readFileSync(`${strata.root}/index.json`, "utf8"));
  return index.manifests[0].annotations["org.opencontainers.image.ref.name"];
}
