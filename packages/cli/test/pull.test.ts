import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DockerRegistry } from "../../registry/test/support/docker-registry.ts";
import { sha256 } from "../../store/test/support/image.ts";
import { linesOf } from "./support/layer-lines.ts";
import { otherPlatform, type Published, publish, publishIndex } from "./support/published.ts";
import { Strata, useScratch } from "./support/strata.ts";

const scratch = useScratch();
/** New for each test. */
let strata: Strata;
let server: DockerRegistry;

async function pull(...args: string[]): Promise<string[]> {
  const outcome = await strata.run(["pull", ...args]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  return linesOf(outcome.stdout);
}

function outcomes({ labels }: Published, outcome: string): string[] {
  return labels.map((label) => `${label}: ${outcome}`).sort();
}

describeWith("pull", ["docker-registry"], () => {
  beforeAll(async () => {
    server = await DockerRegistry.start();
  });

  beforeEach(({ task }) => {
    strata = new Strata(scratch.join(task.id), "vfs");
    server.proxy.requests.length = 0;
  });

  afterAll(async () => await server?.[Symbol.asyncDispose]());

  let app: Published;
  let name: string;

  beforeAll(async () => {
    name = `${server.host}/team/app`;
    await publish(server, "team/base:1", [{ base: "base" }]);
    app = await publish(server, "team/app:latest", [{ base: "base" }, { app: "app" }, { more: "more" }]);
  });

  it("prints docker's lines, and no progress where there is no terminal", async () => {
    const before = ["Using default tag: latest", "latest: Pulling from team/app"];
    expect(await pull(name)).toEqual([
      ...before,
      ...outcomes(app, "Pull complete"),
      `Digest: ${app.digest}`,
      `Status: Downloaded newer image for ${name}:latest`,
      `${name}:latest`,
    ]);
    server.proxy.requests.length = 0;
    expect(await pull(name)).toEqual([
      ...before,
      `Digest: ${app.digest}`,
      `Status: Image is up to date for ${name}:latest`,
      `${name}:latest`,
    ]);
    expect(server.proxy.log).toEqual(["HEAD /v2/team/app/manifests/latest"]);
  });

  it("makes the config that came the image, and its hash the ID", async () => {
    await strata.ok("pull", "-q", name);
    const [image] = await strata.json<{ id: string }[]>("images");
    expect(image?.id).toBe(app.id);
    const config = readFileSync(join(strata.root, "blobs/sha256", app.id.slice("sha256:".length)));
    expect(sha256(config)).toBe(app.id);
    expect(JSON.parse(app.manifest.toString()).config.digest).toBe(app.id);
  });

  it("asks for missing layers only", async () => {
    await strata.ok("pull", `${server.host}/team/base:1`);
    server.proxy.requests.length = 0;
    const [base = "", ...missing] = app.layers;
    const lines = await pull(`${name}:latest`);
    expect(lines.filter((line) => line.endsWith("Already exists"))).toEqual([
      `${app.labels[0]}: Already exists`,
    ]);
    expect(lines.filter((line) => line.endsWith("Pull complete"))).toHaveLength(missing.length);
    const asked = (digest: string) => server.proxy.requests.filter(({ url }) => url.endsWith(digest)).length;
    expect(asked(base)).toBe(0);
    expect(missing.map(asked)).toEqual([1, 1]);
  });

  it("prints the reference only with -q, and events with --json", async () => {
    const outcome = await strata.run(["pull", "-q", name]);
    expect(outcome).toEqual({ code: 0, stdout: `${name}:latest\n`, stderr: "" });
    strata = new Strata(scratch.join("another"), "vfs");
    const lines = (await strata.ok("--json", "pull", name)).split("\n").map((line) => JSON.parse(line));
    expect(lines.at(-1)).toEqual({
      kind: "pulled",
      reference: `${name}:latest`,
      id: app.id,
      digest: app.digest,
      isNew: true,
    });
    const done = lines.filter(({ kind, status }) => kind === "layer" && status === "done");
    expect(done.map(({ label }) => label).sort()).toEqual([...app.labels].sort());
    expect(JSON.parse(await strata.ok("--json", "pull", name))).toMatchObject({
      kind: "pulled",
      isNew: false,
    });
  });

  it("takes a digest in place of a tag", async () => {
    const pinned = `${name}@${app.digest}`;
    expect(await pull(pinned)).toEqual([
      `${pinned}: Pulling from team/app`,
      ...outcomes(app, "Pull complete"),
      `Digest: ${app.digest}`,
      `Status: Downloaded newer image for ${pinned}`,
      pinned,
    ]);
    expect(await strata.ok("images", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}")).toBe(
      `${name}:<none> ${app.digest}`,
    );
    await strata.ok("pull", "-q", `${name}:latest`);
    await strata.ok("tag", `${name}:latest`, `${name}:again`);
    await strata.ok("rmi", ...(await strata.ok("images", "-q")).split("\n"));
    expect(await strata.ok("images", "-aq")).toBe("");
    await strata.ok("pull", "-q", pinned);
    expect((await strata.ok("rmi", pinned)).split("\n").slice(0, 2)).toEqual([
      `Untagged: ${pinned}`,
      `Deleted: ${app.id}`,
    ]);
  });

  it("takes --disable-content-trust, and does not pretend to do the opposite", async () => {
    expect(await strata.ok("pull", "-q", "--disable-content-trust", name)).toBe(`${name}:latest`);
    expect(await strata.run(["pull", "--disable-content-trust=false", name])).toMatchObject({
      code: 125,
      stderr: "strata pull: signatures of images cannot be verified here\nSee 'strata pull --help'.\n",
    });
  });

  describe("of an index", () => {
    let index: Awaited<ReturnType<typeof publishIndex>>;
    let name: string;

    beforeAll(async () => {
      name = `${server.host}/multi`;
      index = await publishIndex(server, "multi:latest");
    });

    it("takes the host's image, and goes by the digest of the index", async () => {
      expect(await pull(name)).toContain(`Digest: ${index.digest}`);
      const [image] = await strata.json<object[]>("images");
      expect(image).toMatchObject({ id: index.own.id, digest: index.digest });
      expect(await strata.ok("images", "--digests", "--format", "{{.Tag}} {{.Digest}}")).toBe(
        `latest ${index.digest}`,
      );
      expect(await strata.ok("inspect", "-f", "{{json .RepoDigests}}", name)).toBe(
        JSON.stringify([`${name}@${index.digest}`]),
      );
      expect(await pull("-q", `${name}@${index.digest}`)).toEqual([`${name}@${index.digest}`]);
      expect((await strata.ok("rmi", `${name}@${index.digest}`)).split("\n").slice(0, 3)).toEqual([
        `Untagged: ${name}:latest`,
        `Untagged: ${name}@${index.digest}`,
        `Deleted: ${index.own.id}`,
      ]);
    });

    it("takes the platform that is asked for, by any of its names", async () => {
      const { architecture } = otherPlatform;
      const other = architecture === "amd64" ? "linux/x86_64" : `linux/${architecture}`;
      await strata.ok("pull", "--platform", other, name);
      expect(await strata.ok("inspect", "-f", "{{.Id}} {{.Architecture}}", name)).toBe(
        `${index.other.id} ${architecture}`,
      );
      // The same tag, now for this host, is another image.
      expect(await pull(name)).toContain(`Status: Downloaded newer image for ${name}:latest`);
      expect(await strata.fails("pull", "--platform", "linux/mips", name)).toBe(
        "Error: no matching manifest for linux/mips in the manifest list entries",
      );
    });

    it("-a pulls what can be pulled of all tags, and says what cannot", async () => {
      const platform = `linux/${otherPlatform.architecture}`;
      const { code, stdout, stderr } = await strata.run(["pull", "-a", "--platform", platform, name]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `Error: ${name}:own: no matching manifest for ${platform} in the manifest list entries\n`,
      });
      const lines = stdout.trimEnd().split("\n");
      expect(lines.slice(-2)).toEqual([`Status: Downloaded newer image for ${name}`, name]);
      expect(lines.filter((line) => line.includes("Pulling from")).sort()).toEqual([
        "latest: Pulling from multi",
        "other: Pulling from multi",
      ]);
    });

    it("-a takes no tag", async () => {
      for (const one of [`${name}:latest`, `${name}@${index.digest}`])
        expect(await strata.fails("pull", "-a", one)).toBe("Error: tag can't be used with --all-tags/-a");
    });
  });
});
