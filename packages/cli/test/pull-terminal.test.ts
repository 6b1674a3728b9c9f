import { randomBytes } from "node:crypto";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "@strata/conformance";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { DockerRegistry } from "../../registry/test/support/docker-registry.ts";
import { type Published, publish } from "./support/published.ts";
import { Strata, useScratch } from "./support/strata.ts";
import { onTerminal } from "./support/terminal.ts";

const scratch = useScratch();
/** New for each test. */
let strata: Strata;
let server: DockerRegistry;
let app: Published;
let name: string;
/** The command as the shell takes it. */
let command: string;

/** Of which half a megabyte and more has to travel. */
const large = randomBytes(1_000_000).toString("hex");

async function publishAll(to: DockerRegistry): Promise<Published> {
  return await publish(to, "app:1", [{ small: "small" }, { large }, { other: "other" }]);
}

/** The large layer stops after some bytes, until `go` is called. */
function holdUp(afterBytes = 500_000): { go: () => void } {
  let go = () => {};
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  server.proxy.fault = ({ url }) =>
    url.endsWith(app.layers[1] ?? "") ? { kind: "hold", afterBytes, until } : undefined;
  return { go };
}

/** How the large layer looks when a part of it is here. */
const halfway = () => new RegExp(`${app.labels[1]}: Downloading \\[=*> +\\] +[\\d.]+kB/1[\\d.]*MB`);

const result = () => [`Digest: ${app.digest}`, `Status: Downloaded newer image for ${name}`, name];

describeWith("pull on a terminal", ["docker-registry"], () => {
  beforeAll(async () => {
    server = await DockerRegistry.start();
    name = `${server.host}/app:1`;
    app = await publishAll(server);
  });

  beforeEach(({ task }) => {
    strata = new Strata(scratch.join(task.id), "vfs");
    command = [process.execPath, ...strata.prefix].join(" ");
    server.proxy.fault = () => undefined;
    server.proxy.requests.length = 0;
  });

  afterAll(async () => await server?.[Symbol.asyncDispose]());

  it("has a line for each layer, which changes in place", async () => {
    const { go } = holdUp();
    const keys = [{ after: halfway(), press: go }];
    const { code, screen } = await onTerminal(`${command} pull ${name}`, { keys });
    expect({ code, screen }).toEqual({
      code: 0,
      screen: ["1: Pulling from app", ...app.labels.map((label) => `${label}: Pull complete`), ...result()],
    });
    await strata.ok("tag", name, "kept");
    await strata.ok("rmi", name);
    const again = await onTerminal(`${command} pull ${name}`);
    expect(again.screen).toEqual([
      "1: Pulling from app",
      ...app.labels.map((label) => `${label}: Already exists`),
      ...result(),
    ]);
  });

  it("tells layers that have not begun from those that were asked for, and those that are here", async () => {
    const { go } = holdUp(0);
    const keys = [{ after: /: Pulling fs layer/, press: go }];
    const { raw } = await onTerminal(`${command} pull ${name}`, { keys });
    expect(raw).toContain(`${app.labels[0]}: Waiting`);
    expect(raw).toContain(": Download complete");
  });

  it("fits a narrow one", async () => {
    const { screen } = await onTerminal(`${command} pull ${name}`, { columns: 30 });
    expect(screen.slice(1, 4)).toEqual(app.labels.map((label) => `${label}: Pull complete`));
  });

  it("shows no lines with -q", async () => {
    expect((await onTerminal(`${command} pull -q ${name}`)).raw).toBe(`${name}\n`);
  });

  it("lets warnings stand between the lines", async () => {
    await using mirror = await DockerRegistry.start();
    await publishAll(mirror);
    const [, , last = ""] = app.layers;
    mirror.proxy.fault = ({ url }) => (url.endsWith(last) ? { kind: "answer", status: 404 } : undefined);
    const settings = scratch.join("registries.json");
    writeFileSync(settings, JSON.stringify({ registries: { [server.host]: { mirrors: [mirror.url] } } }));
    const { screen } = await onTerminal(`${command} pull ${name}`, {
      columns: 80,
      env: { STRATA_REGISTRIES: settings },
    });
    // It takes more than one row of the screen.
    const why = `blob ${last} of ${server.host}/app: ${mirror.url}/v2/app/blobs/${last} answers 404`;
    expect(screen.join("")).toContain(`WARNING: mirror ${mirror.url} is passed over: ${why}`);
    expect(screen.filter((line) => /^[0-9a-f]{12}: /.test(line)).sort()).toEqual(
      app.labels.map((label) => `${label}: Pull complete`).sort(),
    );
    expect(screen.slice(-3)).toEqual(result());
  });

  it("ends at ^C with tidy lines, keeps what has come, and goes on from there", async () => {
    holdUp();
    const keys = [{ after: halfway(), press: "\x03" }];
    const { code, screen } = await onTerminal(`${command} pull ${name}`, { keys });
    expect(code).toBe(130);
    expect(screen).toEqual([
      "1: Pulling from app",
      expect.stringMatching(`^${app.labels[0]}: `),
      expect.stringMatching(halfway()),
      expect.stringMatching(`^${app.labels[2]}: `),
      "Interrupted: the next pull goes on from here",
    ]);
    expect(await strata.ok("images", "-aq")).toBe("");
    expect(readdirSync(join(strata.root, "ingest"))).toEqual([]);
    const hex = (app.layers[1] ?? "").slice("sha256:".length);
    const { size } = statSync(join(strata.root, "downloads", hex));
    expect(size).toBeGreaterThan(0);

    server.proxy.fault = () => undefined;
    server.proxy.requests.length = 0;
    await strata.ok("pull", name);
    const ranges = server.proxy.requests
      .filter(({ url }) => url.endsWith(hex))
      .map(({ headers }) => headers.range);
    expect(ranges).toEqual([`bytes=${size}-`]);
    expect(readdirSync(join(strata.root, "downloads"))).toEqual([]);
  });
});
