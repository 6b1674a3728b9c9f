import { mkdirSync, symlinkSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { workloadNames } from "@strata/benchmarks";
import { beforeAll, describe, expect, it } from "vitest";
import { writeArchive } from "./support/archive.ts";
import { launcher, run, type Strata, useScratch, useStrata } from "./support/strata.ts";
import { onTerminal } from "./support/terminal.ts";

const scratch = useScratch();
const store = useStrata(scratch, "vfs");
let strata: Strata;
let env: { PATH: string; STRATA_ROOT: string };

beforeAll(async () => {
  strata = store.strata;
  const archive = scratch.join("a.tar");
  writeArchive(archive, { tags: ["tools:v1", "reg.example:5000/me/web:2"], layers: [{ a: "1" }] });
  await strata.ok("load", "-qi", archive);
  await strata.ok("create", "--name", "mycontainer", "tools:v1");
  const bin = scratch.join("bin");
  mkdirSync(bin);
  symlinkSync(launcher, `${bin}/strata`);
  env = { PATH: [bin, process.env["PATH"]].join(delimiter), STRATA_ROOT: strata.root };
});

const script = fileURLToPath(new URL("support/complete.bash", import.meta.url));

async function inBash(line: string): Promise<string[]> {
  const { stdout } = await run("bash", [script, line], { env });
  return stdout.split("\n").filter(Boolean);
}

describe("bash", () => {
  it.each([
    ["strata ima", ["images", "image"]],
    ["strata image r", ["rm"]],
    ["strata images --f", ["--format", "--filter"]],
    ["strata conformance --f", ["--filter"]],
    ["strata bench ", ["compare", "report", ...workloadNames]],
    ["strata bench rep", ["report"]],
    ["strata bench rea", ["read"]],
    ["strata bench hashing l", ["lifecycle"]],
    ["strata bench --json --q", ["--quick"]],
    ["strata bench --j", ["--json"]],
    ["strata --durability ", ["none", "commit"]],
    ["strata completion ", ["bash", "zsh", "fish"]],
    ["strata history ", ["tools:v1", "reg.example:5000/me/web:2"]],
    ["strata history to", ["tools:v1"]],
    // Readline replaces what follows the last colon only.
    ["strata history tools:", ["v1"]],
    ["strata history reg.example:5000/m", ["5000/me/web:2"]],
    ["strata tags ", ["tools", "reg.example:5000/me/web"]],
    ["strata logout ", ["docker.io", "reg.example:5000"]],
    ["strata mount ", ["mycontainer"]],
    ["strata inspect m", ["mycontainer"]],
    ["strata --root /nosuch history ", []],
    ["strata nosuch --f", []],
    ["strata ps --filter ", []],
  ])("%s", async (line, candidates) => {
    expect(await inBash(line)).toEqual(candidates);
  });

  it("completes at a real prompt, file names too", async () => {
    const prompt = /[$#] /;
    const { raw } = await onTerminal("bash --norc --noprofile -i", {
      env: { ...env, HISTFILE: "/dev/null", INPUTRC: "/dev/null" },
      keys: [
        { after: prompt, press: "source <(strata completion bash)\n" },
        { after: prompt, press: "strata history tools:\t" },
        { after: /tools:v1 /, press: "\n" },
        { after: /layer 0/, press: "strata load -i /etc/hostna\t" },
        { after: /hostname /, press: "\x15strata bench --json /etc/hostna\t" },
        { after: /hostname /, press: "\x15exit\n" },
      ],
    });
    expect(raw).toContain("layer 0");
    expect(raw).toContain("strata load -i /etc/hostname ");
    expect(raw).toContain("strata bench --json /etc/hostname ");
  });
});

describe("other shells", () => {
  it.each([
    ["zsh", "#compdef strata"],
    ["fish", "complete -c strata"],
  ])("%s has a script", async (shell, text) => {
    expect(await strata.ok("completion", shell)).toContain(text);
  });

  it("are only those that there are", async () => {
    expect(await strata.run(["completion", "tcsh"])).toMatchObject({ code: 125 });
  });
});
