import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { LoopFileSystem } from "@strata/conformance/suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DockerRegistry } from "../../registry/test/support/docker-registry.ts";
import { type Published, publish } from "./support/published.ts";
import { Strata, useScratch, useStrata } from "./support/strata.ts";

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let server: DockerRegistry;

/** All that is there of images, whole or in part. */
function everything(): string[] {
  return ["blobs/sha256", "ingest", "downloads", "drivers/vfs/snapshots"].flatMap((place) =>
    readdirSync(join(strata.root, place)).map((name) => `${place}/${name}`),
  );
}

describeWith("a pull", ["docker-registry"], () => {
  beforeAll(async () => {
    strata = store.strata;
    server = await DockerRegistry.start();
  });

  afterAll(async () => await server?.[Symbol.asyncDispose]());

  describe("of what was damaged in the registry", () => {
    let app: Published;
    let blob: string;
    let bytes: Buffer;

    beforeAll(async () => {
      app = await publish(server, "app:1", [{ one: "one" }, { two: "two".repeat(10_000) }]);
      const digest = app.layers[1]?.slice("sha256:".length) ?? "";
      blob = join(server.storage, "docker/registry/v2/blobs/sha256", digest.slice(0, 2), digest, "data");
      bytes = readFileSync(blob);
    });

    it.each([
      ["the first byte", 0],
      ["the last byte", -1],
    ])("is refused for a bit of %s, and leaves nothing", async (_, at) => {
      const damaged = Buffer.from(bytes);
      const index = at < 0 ? damaged.length + at : at;
      damaged.writeUInt8(damaged.readUInt8(index) ^ 1, index);
      writeFileSync(blob, damaged);
      const message = await strata.fails("pull", `${server.host}/app:1`);
      expect(message).toContain(`Error: layer ${app.layers[1]} of ${server.host}/app:1: `);
      expect(await strata.ok("images", "-aq")).toBe("");
      await strata.ok("gc");
      expect(everything()).toEqual([]);
      writeFileSync(blob, bytes);
      await strata.ok("pull", `${server.host}/app:1`);
      await strata.ok("rmi", `${server.host}/app:1`);
    });
  });

  describe("that cannot be", () => {
    it("names an unknown tag, or repository", async () => {
      await publish(server, "known:1", [{ one: "one" }]);
      for (const name of ["known:2", "unknown:1"])
        expect(await strata.run(["pull", `${server.host}/${name}`])).toEqual({
          code: 1,
          stdout: "",
          stderr: `Error: manifest for ${server.host}/${name} not found: manifest unknown: manifest unknown\n`,
        });
      expect(await strata.fails("pull", "-a", `${server.host}/unknown`)).toBe(
        `Error: repository ${server.host}/unknown not found: name unknown: repository name not known to registry`,
      );
    });

    it("says how to log in", async () => {
      await using closed = await DockerRegistry.start({ users: { ann: "secret" } });
      const message = await strata.fails("pull", `${closed.host}/app:1`);
      expect(message).toContain("no basic auth credentials");
      expect(message).toContain(`strata login ${closed.host}`);
    });

    it("says that nobody answers", async () => {
      const gone = await DockerRegistry.start();
      const { host } = gone;
      await gone[Symbol.asyncDispose]();
      expect(await strata.fails("pull", `${host}/app:1`)).toBe(
        `Error: http://${host}/v2/app/manifests/1: connection refused: nothing listens there`,
      );
    });

    it("says what is wrong with a name", async () => {
      expect(await strata.fails("pull", "Debian")).toBe(
        "Error: invalid reference format: repository name (library/Debian) must be lowercase",
      );
      expect(await strata.run(["pull"])).toMatchObject({ code: 125 });
    });
  });
});

describeWith("a pull that does not fit", ["docker-registry", "root", "mkfs.ext4"], () => {
  it("says how to have the space back", async () => {
    await using server = await DockerRegistry.start();
    await using disk = await LoopFileSystem.make("ext4", { sizeBytes: 8 * 2 ** 20 });
    const strata = new Strata(disk.join("store"), "overlay2");
    await publish(server, "app:1", [{ large: randomBytes(5_000_000).toString("hex") }]);
    expect(await strata.fails("pull", `${server.host}/app:1`)).toMatch(
      /^Error: layer .*ENOSPC.*; 'strata gc' gives back what the downloads of this pull take$/,
    );
    const downloads = () => readdirSync(disk.join("store/downloads"));
    expect(downloads()).toHaveLength(1);
    await strata.ok("gc");
    expect(downloads()).toEqual([]);
    await publish(server, "small:1", [{ small: "small" }]);
    await strata.ok("pull", `${server.host}/small:1`);
  });
});
