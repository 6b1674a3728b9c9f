import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DockerRegistry } from "../../../../registry/test/support/docker-registry.ts";
import { linesOf } from "../../support/layer-lines.ts";
import { type Published, publish } from "../../support/published.ts";
import { Field } from "./support/field.ts";

type Run = (...args: string[]) => Promise<string>;

/** What docker prints on the way there, also where there is no terminal. */
const transient = /: (Pulling fs layer|Waiting|Verifying Checksum|Download complete|Preparing)$/;

describeWith("in docker's words", ["root", "docker", "dockerd", "docker-registry"], () => {
  let field: Field;
  let registry: DockerRegistry;
  let app: Published;
  let docker: Run;
  let strata: Run;

  beforeAll(async () => {
    field = new Field();
    registry = await DockerRegistry.start();
    await publish(registry, "team/base:1", [{ base: "base" }]);
    app = await publish(registry, "team/app:latest", [{ base: "base" }, { app: "app" }]);
    await publish(registry, "team/app:1", [{ other: "other" }]);
    const daemon = await field.docker();
    docker = (...args) => daemon.run(...args);
    const store = field.strata("overlay2");
    strata = (...args) => store.run(...args);
  });

  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await field?.[Symbol.asyncDispose]();
  });

  /** That both print the same; each has a repository of its own, `OWN`, to push to. */
  async function expectSame(...args: readonly string[]): Promise<string[]> {
    const printed = async (run: Run, own: string): Promise<string[]> => {
      const text = await run(...args.map((arg) => arg.replace("OWN", own)));
      const lines = linesOf(text.replaceAll(`/${own}/`, "/OWN/")).filter((line) => !transient.test(line));
      return args[0] === "push" ? lines.map(withoutDigests) : lines;
    };
    const theirs = await printed(docker, "of-docker");
    const ours = await printed(strata, "of-strata");
    expect(ours).toEqual(theirs);
    return ours;
  }

  it("pull tells what came, what was here, and what it is", async () => {
    const name = `${registry.host}/team/app`;
    await expectSame("pull", `${registry.host}/team/base:1`);
    expect(await expectSame("pull", name)).toContain(`${app.labels[0]}: Already exists`);
    await expectSame("pull", name);
    await expectSame("pull", "--quiet", name);
    await expectSame("pull", "--disable-content-trust", `${name}:latest`);
    await expectSame("pull", `${name}@${app.digest}`);
    await expectSame("pull", "--all-tags", name);
    await expectSame("pull", "--all-tags", "--quiet", name);
    await expectSame("inspect", "--format", "{{.Id}} {{json .RepoDigests}}", name);
  });

  it("push tells what was sent, and what the registry had", async () => {
    const name = `${registry.host}/OWN/app`;
    const source = `${registry.host}/team/app:1`;
    await expectSame("tag", source, name);
    expect(await expectSame("push", name)).toContain("layer: Mounted from team/app");
    await expectSame("tag", source, `${name}:2`);
    await expectSame("push", `${name}:2`);
    await expectSame("push", "--all-tags", name);
    await expectSame("push", "--quiet", `${name}:2`);
    expect(await expectSame("push", name)).toContain("layer: Layer already exists");
  });
});

/** Docker makes a manifest of its own for what it pushes, and calls a layer by its DiffID. */
function withoutDigests(line: string): string {
  return line
    .replace(/^[0-9a-f]{12}: /, "layer: ")
    .replace(/digest: sha256:[0-9a-f]{64} size: \d+$/, "digest: D size: N");
}
