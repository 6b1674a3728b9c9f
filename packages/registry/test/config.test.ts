import { mkdirSync, writeFileSync } from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { Registries } from "@strata/registry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let scratch: Scratch;

beforeEach(() => {
  scratch = new Scratch();
});
afterEach(() => scratch[Symbol.asyncDispose]());

async function read(content: unknown, env: Record<string, string> = {}) {
  const path = scratch.join("registries.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  await using registries = await Registries.open({ env: { STRATA_REGISTRIES: path, ...env } });
  return registries.config;
}

describe("registries.json", () => {
  it("says of each host what it says", async () => {
    const config = await read({
      registries: {
        "docker.io": { mirrors: ["https://mirror.example.com", "http://10.0.0.2:5000/hub/"] },
        "Registry.lan:5000": { insecure: true },
        "quay.io": { ca: "ca.pem", cert: "/etc/own.pem", key: "/etc/own.key" },
      },
    });
    const { mirrors } = config.of("docker.io");
    expect(mirrors.map(({ origin, prefix }) => [origin.origin, prefix])).toEqual([
      ["https://mirror.example.com", ""],
      ["http://10.0.0.2:5000", "hub"],
    ]);
    expect(config.of("registry.lan:5000").insecure).toBe(true);
    expect(config.of("registry.lan").insecure).toBe(false);
    // Relative to the file.
    expect(config.of("quay.io")).toMatchObject({ ca: scratch.join("ca.pem"), cert: "/etc/own.pem" });
    expect(config.at(new URL("https://quay.io:443/v2/")).ca).toBe(scratch.join("ca.pem"));
    // Who writes http:// allows it.
    expect(config.of("10.0.0.2:5000").insecure).toBe(true);
    expect(config.of("elsewhere.example.com")).toMatchObject({ mirrors: [], insecure: false });
  });

  it.each([
    ["{", /registries\.json: not valid JSON: /],
    [[], /registries\.json: expected \{"registries": \{\.\.\.\}\}$/],
    [
      { mirrors: [] },
      /registries\.json: (unknown field "mirrors"|registries: expected a table of registries by host)$/,
    ],
    [
      { registries: { "a.b": { mirror: [] } } },
      /registries\.json: registries\."a\.b": unknown field "mirror"$/,
    ],
    [
      { registries: { "a.b": [] } },
      /registries\.json: registries\."a\.b": expected the settings of a registry$/,
    ],
    [{ registries: { "a.b": { insecure: "yes" } } }, /registries\."a\.b"\.insecure: expected true or false$/],
    [
      { registries: { "a.b": { mirrors: ["m.example"] } } },
      /registries\."a\.b"\.mirrors\.0: expected a URL with its scheme/,
    ],
    [
      { registries: { x: { mirrors: ["https://ann:secret@m.example"] } } },
      /mirrors\.0: expected a URL with its scheme and nothing but/,
    ],
    [{ registries: { "https://a.b/": {} } }, /expected a host, with its port/],
    [{ registries: { "a.b": { cert: "x" } } }, /registries\."a\.b": cert and key go together$/],
  ])("tells file and field of what is wrong in %j", async (content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(message),
    });
  });

  it("is the one that is named, which must be there, else the user's own", async () => {
    const named = { STRATA_REGISTRIES: scratch.join("nowhere.json") };
    await expect(Registries.open({ env: named })).rejects.toMatchObject({
      code: "NotFound",
      message: expect.stringContaining("the file that STRATA_REGISTRIES names"),
    });
    const content = JSON.stringify({ registries: { x: { insecure: true } } });
    for (const [env, directory] of [
      [{ HOME: scratch.join("home") }, scratch.join("home/.config/strata")],
      [
        { HOME: scratch.join("home"), XDG_CONFIG_HOME: scratch.join("settings") },
        scratch.join("settings/strata"),
      ],
    ] as const) {
      await using without = await Registries.open({ env });
      expect(without.config.path).toBe(`${directory}/registries.json`);
      expect(without.config.of("x").insecure).toBe(false);
      mkdirSync(directory, { recursive: true });
      writeFileSync(`${directory}/registries.json`, content);
      await using own = await Registries.open({ env });
      expect(own.config.of("x").insecure).toBe(true);
    }
  });
});
