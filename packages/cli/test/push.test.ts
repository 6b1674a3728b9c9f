import { describeWith } from "@strata/conformance";
import { Registries } from "@strata/registry";
import { parseReference } from "@strata/store";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { DockerRegistry } from "../../registry/test/support/docker-registry.ts";
import { linesOf } from "./support/layer-lines.ts";
import { type Published, publish } from "./support/published.ts";
import { type Strata, useScratch, useStrata } from "./support/strata.ts";

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let server: DockerRegistry;
/** What is pushed: it came from another registry. */
let app: Published;

async function push(...args: string[]): Promise<string[]> {
  const outcome = await strata.run(["push", ...args]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  return linesOf(outcome.stdout);
}

function outcomes(outcome: string): string[] {
  return app.labels.map((label) => `${label}: ${outcome}`).sort();
}

const digestLine = (tag: string) => `${tag}: digest: ${app.digest} size: ${app.manifest.length}`;

describeWith("push", ["docker-registry"], () => {
  beforeAll(async () => {
    strata = store.strata;
    await using source = await DockerRegistry.start();
    app = await publish(source, "app:1", [{ base: "base" }, { app: "app" }]);
    await strata.ok("pull", "-q", `${source.host}/app:1`);
    await strata.ok("tag", `${source.host}/app:1`, "app:1");
  });

  beforeEach(async () => {
    server = await DockerRegistry.start();
    return async () => await server[Symbol.asyncDispose]();
  });

  it("prints docker's lines, and sends what the registry does not have, as it came", async () => {
    const name = `${server.host}/team/app`;
    await strata.ok("tag", "app:1", name);
    const before = ["Using default tag: latest", `The push refers to repository [${name}]`];
    expect(await push(name)).toEqual([...before, ...outcomes("Pushed"), digestLine("latest")]);
    await using registries = await Registries.open({ env: {} });
    const there = registries.repository(parseReference(`${server.directHost}/team/app`));
    expect((await there.getManifest("latest")).bytes.equals(app.manifest)).toBe(true);

    server.proxy.requests.length = 0;
    expect(await push(name)).toEqual([...before, ...outcomes("Layer already exists"), digestLine("latest")]);
    expect(server.proxy.requests.filter(({ url, method }) => method !== "HEAD" && /blobs/.test(url))).toEqual(
      [],
    );

    const other = `${server.host}/other/app:2`;
    await strata.ok("tag", "app:1", other);
    expect(await push(other)).toEqual([
      `The push refers to repository [${server.host}/other/app]`,
      ...outcomes("Mounted from team/app"),
      digestLine("2"),
    ]);
  });

  it("-a pushes all tags that are here", async () => {
    const name = `${server.host}/app`;
    for (const tag of ["2", "1"]) await strata.ok("tag", "app:1", `${name}:${tag}`);
    expect(await push("-a", name)).toEqual([
      `The push refers to repository [${name}]`,
      ...outcomes("Pushed"),
      digestLine("1"),
      ...outcomes("Layer already exists"),
      digestLine("2"),
    ]);
    expect(await push("-a", "-q", name)).toEqual([name]);
    expect(await strata.fails("push", "-a", `${name}:1`)).toBe("Error: tag can't be used with --all-tags/-a");
    expect(await strata.fails("push", "-a", `${server.host}/nothing`)).toBe(
      `Error: An image does not exist locally with the tag: ${server.host}/nothing`,
    );
  });

  it("prints the reference only with -q, and events with --json", async () => {
    const name = `${server.host}/app:1`;
    await strata.ok("tag", "app:1", name);
    expect(await push("-q", "--disable-content-trust", name)).toEqual([name]);
    const lines = (await strata.ok("--json", "push", name)).split("\n").map((line) => JSON.parse(line));
    expect(lines.at(-1)).toEqual({
      kind: "pushed",
      reference: name,
      digest: app.digest,
      sizeBytes: app.manifest.length,
    });
    const there = lines.filter(({ kind, status }) => kind === "layer" && status === "exists");
    expect(there.map(({ label }) => label).sort()).toEqual([...app.labels].sort());
  });

  it("says why there is nothing to push, or nobody who takes it", async () => {
    const name = `${server.host}/app`;
    const refers = `The push refers to repository [${name}]\n`;
    const missing = `An image does not exist locally with the tag: ${name}`;
    expect(await strata.run(["push", name])).toEqual({
      code: 1,
      stdout: `Using default tag: latest\n${refers}`,
      stderr: `Error: ${missing}\n`,
    });
    await strata.ok("tag", "app:1", `${name}:1`);
    expect(await strata.fails("push", name)).toContain(`Error: tag does not exist: ${name}:latest`);
    expect(await strata.fails("push", `${name}@${app.digest}`)).toContain("cannot push a digest reference");

    await using closed = await DockerRegistry.start({ users: { ann: "secret" } });
    await strata.ok("tag", "app:1", `${closed.host}/app:1`);
    const message = await strata.fails("push", `${closed.host}/app:1`);
    expect(message).toContain("no basic auth credentials");
    expect(message).toContain(`strata login ${closed.host}`);
  });
});
