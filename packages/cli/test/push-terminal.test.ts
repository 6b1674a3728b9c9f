import { randomBytes } from "node:crypto";
import { describeWith } from "@strata/conformance";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { DockerRegistry } from "../../registry/test/support/docker-registry.ts";
import { writeArchive } from "./support/archive.ts";
import { labelOf } from "./support/published.ts";
import { type Strata, useScratch, useStrata } from "./support/strata.ts";
import { onTerminal } from "./support/terminal.ts";

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let server: DockerRegistry;
let name: string;
let labels: string[];
/** The command as the shell takes it. */
let command: string;

const refers = () => `The push refers to repository [${server.host}/app]`;
const digestLine = expect.stringMatching(/^1: digest: sha256:[0-9a-f]{64} size: \d+$/);

describeWith("push on a terminal", ["docker-registry"], () => {
  beforeAll(async () => {
    strata = store.strata;
    command = [process.execPath, ...strata.prefix].join(" ");
    const large = randomBytes(1_000_000).toString("hex");
    // Raw layers: their blobs' digests are their DiffIDs.
    const { diffIds } = writeArchive(scratch.join("app.tar"), {
      tags: ["app:1"],
      layers: [{ large }, { small: "small" }],
    });
    labels = diffIds.map(labelOf);
    await strata.ok("load", "-qi", scratch.join("app.tar"));
  });

  beforeEach(async () => {
    server = await DockerRegistry.start();
    name = `${server.host}/app:1`;
    await strata.ok("tag", "app:1", name);
    return async () => await server[Symbol.asyncDispose]();
  });

  it("has a line for each layer, which changes in place", async () => {
    const first = await onTerminal(`${command} push ${name}`);
    expect({ code: first.code, screen: first.screen }).toEqual({
      code: 0,
      screen: [refers(), ...labels.map((label) => `${label}: Pushed`), digestLine],
    });
    expect(first.raw).toContain(`${labels[0]}: Preparing`);
    expect(first.raw).toMatch(new RegExp(`${labels[0]}: Pushing \\[=*> *\\] +[\\d.]+k?M?B/2[\\d.]*MB`));
    const again = await onTerminal(`${command} push ${name}`);
    expect(again.screen).toEqual([
      refers(),
      ...labels.map((label) => `${label}: Layer already exists`),
      digestLine,
    ]);
  });

  it("ends at ^C with tidy lines", async () => {
    server.proxy.fault = ({ method }) =>
      method === "PATCH" || method === "PUT" ? { kind: "stall-request", afterBytes: 500_000 } : undefined;
    const keys = [{ after: /: Pushing \[=*>.*[kM]B\/2/, press: "\x03" }];
    const { code, screen } = await onTerminal(`${command} push ${name}`, { keys });
    expect({ code, screen }).toEqual({
      code: 130,
      screen: [
        refers(),
        expect.stringMatching(`^${labels[0]}: Pushing \\[`),
        expect.stringMatching(`^${labels[1]}: `),
        "Interrupted: the next push goes on from here",
      ],
    });
    server.proxy.fault = () => undefined;
    expect((await strata.ok("push", name)).split("\n").at(-1)).toEqual(digestLine);
  });
});
