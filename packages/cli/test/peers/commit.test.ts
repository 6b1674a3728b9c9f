import { mkdirSync } from "node:fs";
import { ContainersStorage, run } from "@strata/benchmarks";
import { describeWith } from "@strata/conformance";
import { Scratch } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layerScripts } from "./support/contents.ts";
import { Docker } from "./support/docker.ts";
import { drivers, Strata } from "./support/strata.ts";

const base = "commit.example/base:1";
const committed = "commit.example/changed:1";

/** Without a network, and with limits that no host is too small for. */
const podmanRun = ["--runtime=runc", "run", "--rm", "--network=none"].concat(
  ["nofile", "nproc"].map((limit) => `--ulimit=${limit}=1000:1000`),
);

/** What the script `commit.sh` changes, as `diff` shows it. */
const changed = [
  ...["C /etc", "C /etc/hostname", "A /etc/motd", "C /etc/skel", "D /etc/skel/.profile", "D /etc/skel/.shrc"],
  ...["A /etc/skel/new", "D /etc/version", "C /srv", "A /srv/program"],
];

/** The same as the members of a layer: directories that hold changes, whiteouts before entries. */
const members = [
  ...["./", "etc/", "etc/.wh.version", "etc/hostname", "etc/motd"],
  ...["etc/skel/", "etc/skel/.wh..profile", "etc/skel/.wh..shrc", "etc/skel/new", "srv/", "srv/program"],
];

describeWith(
  "an image that was committed",
  ["root", "busybox", "podman", "runc", "dockerd", "docker"],
  () => {
    let scratch: Scratch;
    const diffIds: string[] = [];

    beforeAll(async () => {
      scratch = new Scratch();
      mkdirSync(scratch.join("root"));
      await run("sh", [`${layerScripts}busybox.sh`, scratch.join("root")]);
    });

    afterAll(async () => {
      await scratch?.[Symbol.asyncDispose]();
    });

    describe.each(drivers)("under %s", (driver) => {
      let strata: Strata;
      let saved: string;

      beforeAll(async () => {
        strata = new Strata(scratch, driver);
        await strata.run("import", scratch.join("root"), base);
        saved = scratch.join(`saved-${driver}`);
      });

      it("shows exactly the change before, and holds exactly the change after", async () => {
        const container = await changedContainer(strata);
        expect((await strata.run("diff", container)).split("\n")).toEqual(changed);
        const change = ["--change", 'CMD ["/srv/program"]'];
        await strata.run("commit", "--quiet", ...change, container, committed);
        await strata.run("save", "--output", saved, committed);
        expect(await lastLayer(saved, scratch.join(`unpacked-${driver}`))).toEqual(members);
        diffIds.push(await diffId(strata, committed));
      });

      it("has the same DiffID when the same change is made again", async () => {
        await strata.run("commit", "--quiet", await changedContainer(strata), "commit.example/again:1");
        diffIds.push(await diffId(strata, "commit.example/again:1"));
      });

      it("runs in Podman", async () => {
        await using storage = new ContainersStorage();
        await storage.podman("load", "--input", saved);
        const result = await storage.podman(...podmanRun, committed);
        expect(result.stdout).toBe("changed\nno version\n");
      });

      it("runs in Docker", async () => {
        await using docker = await Docker.start();
        await docker.load(saved);
        expect(await docker.run("run", "--rm", "--network=none", committed)).toBe("changed\nno version");
      });
    });

    it("has the same DiffID under every driver and each time", () => {
      expect(diffIds).toHaveLength(2 * drivers.length);
      expect(new Set(diffIds).size).toBe(1);
    });
  },
);

async function changedContainer(strata: Strata): Promise<string> {
  const container = await strata.run("create", base);
  await run("sh", [`${layerScripts}commit.sh`, await strata.run("mount", container)]);
  await strata.run("umount", container);
  return container;
}

async function diffId(strata: Strata, image: string): Promise<string> {
  const text = await strata.run("inspect", "--format", "{{json .RootFS.Layers}}", image);
  const diffIds: string[] = JSON.parse(text);
  return String(diffIds.at(-1));
}

/** The names in the last layer of a saved archive. */
async function lastLayer(archive: string, directory: string): Promise<string[]> {
  await run("mkdir", [directory]);
  await run("tar", ["-C", directory, "-xf", archive]);
  const { stdout } = await run("cat", [`${directory}/manifest.json`]);
  const [{ Layers }]: [{ Layers: string[] }] = JSON.parse(stdout);
  const listed = await run("tar", ["-tf", `${directory}/${Layers.at(-1)}`]);
  return listed.stdout.trim().split("\n");
}
