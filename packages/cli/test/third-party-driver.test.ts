import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Scratch } from "@strata/conformance/suite";
import { expect, it } from "vitest";

const checkout = join(import.meta.dirname, "../../..");
const isRoot = process.geteuid?.() === 0;

if (!isRoot) {
  if (process.env["CI"]) throw new Error("in CI, the author's path must be tried too: run as root");
  console.log("skipped: the author's path of docs/writing-a-driver.md, which needs root");
}

/** What the document tells its reader to type, in order. */
function commands(): string[] {
  const text = readFileSync(join(checkout, "docs/writing-a-driver.md"), "utf8");
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block);
}

it.skipIf(!isRoot)(
  "docs/writing-a-driver.md, typed as written, gives a driver that passes the suite and works elsewhere",
  async () => {
    await using scratch = new Scratch();
    mkdirSync(scratch.join("tmp"));
    const script = ["set -euo pipefail", ...commands()].join("\n");
    const { status, stdout, stderr } = spawnSync("bash", ["-c", script], {
      cwd: checkout,
      encoding: "utf8",
      env: { ...process.env, TMPDIR: scratch.join("tmp"), NO_COLOR: "1" },
    });
    expect(status, `${stdout}\n${stderr}`).toBe(0);
    expect(stdout).toMatch(/Tests +\d+ passed/);
    expect(stdout).toContain("driver-demo");
    expect(stdout).toMatch(/demo/);
  },
  600_000,
);
