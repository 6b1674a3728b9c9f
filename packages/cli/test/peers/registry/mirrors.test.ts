import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import { Running } from "../support/running.ts";
import { expectSameTree } from "../support/trees.ts";
import { Field } from "./support/field.ts";
import { publishSmall } from "./support/published.ts";

describeWith("a registry with a mirror", ["root", "buildah", "docker-registry", "podman", "skopeo"], () => {
  let field: Field;
  let registry: DockerRegistry;
  let mirror: DockerRegistry;
  const url = (path: string) => `${registry.host}/${path}`;

  beforeAll(async () => {
    field = new Field();
    registry = await DockerRegistry.start();
    mirror = await DockerRegistry.start({ mirrorOf: `http://${registry.directHost}` });
    field.user.configure({ [registry.host]: { mirrors: [mirror.url] } });
    await publishSmall(field, url("team/app:1"));
  });

  afterAll(async () => {
    await mirror?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    for (const { proxy } of [registry, mirror]) {
      proxy.requests.length = 0;
      proxy.fault = () => undefined;
    }
  });

  it("is spared by a pull, which gives what the registry has", async () => {
    const strata = field.strata("overlay2", "pulled");
    await strata.run("pull", url("team/app:1"));
    expect(registry.proxy.log).toEqual([]);
    expect(mirror.proxy.log).toContain("GET /v2/team/app/manifests/1");
    const theirs = await field.pull("podman", url("team/app:1"));
    expect(await strata.imageId(url("team/app:1"))).toBe(theirs.id);
    await expectSameTree(await strata.tree(url("team/app:1")), theirs.tree);
  });

  it("is asked where the mirror fails, with a word on that", async () => {
    const strata = field.strata("overlay2", "passed-over");
    mirror.proxy.fault = ({ url }) => (url.includes("/blobs/") ? { kind: "answer", status: 404 } : undefined);
    await using pull = new Running(strata, "pull", url("team/app:1"));
    expect(await pull.end()).toBe(0);
    expect(pull.output.stderr).toMatch(/^WARNING: mirror http:\S+ is passed over: /m);
    expect(registry.proxy.log.filter((line) => line.includes("/manifests/"))).toEqual([]);
    expect(
      registry.proxy.log.filter((line) => line.startsWith("GET") && line.includes("/blobs/")),
    ).toHaveLength(3);
    expect(await strata.run("check")).toBe("No problems found");
  });

  it("gets a push itself, and the mirror gives it to others", async () => {
    const strata = field.strata("overlay2", "pulled");
    await strata.run("tag", url("team/app:1"), url("team/new:1"));
    await strata.run("push", url("team/new:1"));
    expect(mirror.proxy.log).toEqual([]);
    expect(registry.proxy.log).toContain("PUT /v2/team/new/manifests/1");
    const other = field.strata("overlay2", "other");
    await other.run("pull", url("team/new:1"));
    expect(mirror.proxy.log).toContain("GET /v2/team/new/manifests/1");
    expect(await other.digest(url("team/new:1"))).toBe(await strata.digest(url("team/app:1")));
  });
});
