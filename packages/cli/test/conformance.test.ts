import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import type { Report } from "@strata/conformance/suite";
import { beforeAll, describe, expect, it } from "vitest";
import { cleanEnvironment, drivers, launcher, run, useScratch } from "./support/strata.ts";

const scratch = useScratch();
const vfs = new URL("../../../drivers/vfs/dist/index.js", import.meta.url);
const filter = "key-gone-after-commit";

async function conformance(...args: string[]) {
  return await run(process.execPath, [launcher, "conformance", ...args]);
}

/** A directory of its own, to see what is left in it. */
function directory(name: string): string {
  const path = scratch.join(name);
  mkdirSync(path);
  return path;
}

it.each(drivers)("holds %s to what is asked for, and says on what host", async (driver) => {
  const at = directory(`on-${driver}`);
  const { code, stdout, stderr } = await conformance(
    ...["--driver", driver, "--filter", "stat-", "--directory", at],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(new RegExp(`^Driver: ${driver} \\(${driver} of file:///.*/index.js\\)$`, "m"));
  expect(stdout).toMatch(new RegExp(`^Directory: ${at} \\(\\w+\\)$`, "m"));
  expect(stdout).toContain(`Kernel: ${release()} `);
  expect(stdout).toMatch(/^lifecycle: [1-9]\d* passed, 0 failed, \d+ skipped$/m);
  expect(stdout).toMatch(/\d+ behaviours in [\d.]+ s: \d+ passed, 0 failed, \d+ skipped\n$/);
  expect(stdout).not.toMatch(/^content/m);
  expect(readdirSync(at)).toEqual([]);
});

it("tells with its reason what the driver excludes", async () => {
  const { code, stdout } = await conformance("--driver", "vfs", "--filter", "edquot");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}skipped: .*: lacks quotaBytes: \S.*$/m);
});

describe("a driver that breaks a promise", () => {
  let path: string;
  beforeAll(() => {
    path = scratch.join("broken.js");
    writeFileSync(
      path,
      `import { vfs } from ${JSON.stringify(vfs.href)};
       export async function broken(options) {
         const driver = await vfs(options);
         const stat = driver.stat.bind(driver);
         driver.stat = async (id) => ({ ...(await stat(id)), kind: "active <b>" });
         return driver;
       }`,
    );
  });

  it("fails, with what was expected", async () => {
    const { code, stdout } = await conformance("--driver", path, "--filter", filter);
    expect(code).toBe(1);
    expect(stdout).toContain(`  FAILED ${filter}: a committed snapshot has its name, and its key is free\n`);
    expect(stdout).toMatch(/^ {4}.*active <b>/m);
    expect(stdout).toMatch(/1 behaviour in [\d.]+ s: 0 passed, 1 failed, 0 skipped\n$/);
  });

  it("fails in JSON and in HTML, which is one page without anything from elsewhere", async () => {
    const html = scratch.join("report.html");
    const { code, stdout } = await conformance(
      ...["--driver", path, "--filter", filter, "--json", "--html", html],
    );
    expect(code).toBe(1);
    const report: Report = JSON.parse(stdout);
    expect(report).toMatchObject({
      schemaVersion: 1,
      driver: { name: "vfs", module: `file://${path}`, factory: "broken" },
      host: { kernel: release(), node: process.versions.node },
      filter,
      totals: { passed: 0, failed: 1, skipped: 0 },
      groups: [{ name: "lifecycle", behaviours: [{ id: filter, status: "failed" }] }],
    });
    expect(report.groups[0]?.behaviours[0]?.error?.message).toContain("active <b>");

    const page = readFileSync(html, "utf8");
    expect(page).toContain(`<li class="failed">`);
    expect(page).toContain("active &lt;b&gt;");
    expect(page).not.toMatch(/<script|<link|src=|@import|url\(|https?:/);
  });
});

it("asks for a driver, for one that is there, and for a filter that finds something", async () => {
  expect(await conformance()).toMatchObject({ code: 125, stderr: expect.stringContaining("--driver") });
  expect(await conformance("--driver", "vfs", "--filter", "no such thing")).toMatchObject({ code: 125 });
  expect(await conformance("--driver", "nosuch")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is not installed"),
  });
});

it("interrupted, it leaves nothing behind", async () => {
  const at = directory("interrupted");
  const args = [launcher, "conformance", "--driver", "vfs", "--directory", at];
  const child = spawn(process.execPath, args, {
    env: cleanEnvironment(),
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  child.stdout.resume();
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([130, null]);
  expect(readdirSync(at)).toEqual([]);
});
