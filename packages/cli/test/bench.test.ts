import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Comparison, type Results, resultsSchema } from "@strata/benchmarks";
import { beforeAll, describe, expect, it } from "vitest";
import { useBench } from "./support/bench.ts";
import { launcher, run, useScratch } from "./support/strata.ts";
import { onTerminal } from "./support/terminal.ts";

const scratch = useScratch();
const { bench, directory: at } = useBench();

async function strata(...args: string[]) {
  return await run(process.execPath, [launcher, ...args]);
}

function resultsIn(path: string): Results {
  return resultsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** As it is without line breaks. */
function lastParagraph(text: string): string | undefined {
  return text.trimEnd().split("\n\n").at(-1)?.replaceAll("\n", " ");
}

describe("a run", () => {
  it("prints a table and advice, and writes the results and a page", async () => {
    const [json, html] = [scratch.join("out.json"), scratch.join("report.html")];
    const { code, stdout, stderr } = await bench("--json", json, "--html", html);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /^hashing: case 1 of \d+, about \d+ s left\nWrote .*out.json\nWrote .*report.html\n$/,
      ),
    });
    const results = resultsIn(json);
    expect(results.options).toMatchObject({
      scale: "quick",
      workloads: ["hashing"],
      threads: [1],
      cache: "warm",
    });
    expect(results.subjects).toMatchObject([{ id: "vfs", fileSystem: { directory: at } }]);
    for (const { title } of results.measurements) expect(stdout).toContain(title);
    expect(lastParagraph(stdout)).toBe(results.advice);
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/i);
    expect(readdirSync(scratch.join(".")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("says which Strata it is: the checkout's commit", async () => {
    const { stdout } = await bench("--json");
    const git = ["-C", new URL("..", import.meta.url).pathname, "rev-parse", "HEAD"];
    const commit = execFileSync("git", git, { encoding: "utf8" }).trim();
    const results = resultsSchema.parse(JSON.parse(stdout));
    const { stdout: version } = await strata("version", "-f", "{{.Version}}");
    expect(results.strata.version).toBe(version.trim());
    expect([commit, `${commit}-dirty`]).toContain(results.strata.commit);
  });

  it("of several drivers has each of them, and what does not work here, with the reason", async () => {
    const { code, stdout } = await strata(
      ...[
        "bench",
        "hashing",
        "--quick",
        "--threads",
        "1",
        "--driver",
        "vfs,overlay2",
        "--directory",
        "/dev/shm",
      ],
      "--json",
    );
    expect(code).toBe(0);
    const { subjects, missing } = resultsSchema.parse(JSON.parse(stdout));
    expect([...subjects, ...missing].map(({ id }) => id)).toEqual(["vfs", "overlay2"]);
  });

  it("shows on a terminal how far it is, and leaves nothing of that there", async () => {
    const command = `${process.execPath} ${launcher} bench hashing --quick --threads 1 --driver vfs --directory ${at}`;
    const { code, raw, screen } = await onTerminal(command, { rows: 200 });
    expect(code).toBe(0);
    expect(raw).toMatch(/\r\x1b\[2K1\/\d+ hashing, about \d+ s left: [^\r]*: vfs, making ready/);
    expect(raw).toMatch(/\r\x1b\[2K1\/\d+ hashing, about \d+ s left: [^\r]*: vfs, round 2 of \d+/);
    expect(screen.filter((line) => /s left/.test(line))).toEqual([]);
    expect(screen[0]).toMatch(/^Host: /);
  });

  it("that fails in a measurement tells the others, and ends with 1", async () => {
    const driver = scratch.join("failing.js");
    const vfs = new URL("../../../drivers/vfs/dist/index.js", import.meta.url);
    writeFileSync(
      driver,
      `import { isMainThread } from "node:worker_threads";
       import { vfs } from ${JSON.stringify(vfs.href)};
       export async function failing(options) {
         if (!isMainThread) throw new Error("not in a thread");
         return await vfs(options);
       }`,
    );
    const { code, stdout, stderr } = await strata(
      ...[
        "bench",
        "read",
        "--quick",
        "--threads",
        "1",
        "--driver",
        `${driver},vfs`,
        "--directory",
        at,
        "--json",
      ],
    );
    const { failures, measurements, subjects } = resultsSchema.parse(JSON.parse(stdout));
    expect(subjects.map(({ id }) => id)).toEqual(["failing", "vfs"]);
    expect(new Set(measurements.map(({ subject }) => subject))).toEqual(new Set(["vfs"]));
    expect(failures[0]).toMatchObject({
      workload: "read",
      subject: "failing",
      message: "not in a thread",
    });
    expect(stderr).toMatch(/^Error: read, .*: failing: not in a thread$/m);
    expect(code).toBe(1);
  });
});

describe("what was written", () => {
  let first: string;
  let second: string;

  beforeAll(async () => {
    [first, second] = [scratch.join("first.json"), scratch.join("second.json")];
    for (const path of [first, second]) expect(await bench("--json", path)).toMatchObject({ code: 0 });
  });

  it("is put side by side, as text or JSON", async () => {
    const { code, stdout } = await strata("bench", "compare", first, second);
    expect(code).toBe(0);
    for (const { title } of resultsIn(first).measurements) expect(stdout).toContain(title);
    const inJson = await strata("bench", "compare", "--json", first, second);
    const comparison: Comparison = JSON.parse(inJson.stdout);
    const titles = resultsIn(first).measurements.map(({ title }) => title);
    expect(new Set(comparison.pairs.map(({ b }) => b.title))).toEqual(new Set(titles));
  });

  it("is shown again, as the run has shown it, and as a page", async () => {
    const { code, stdout } = await strata("bench", "report", first);
    expect(code).toBe(0);
    expect(lastParagraph(stdout)).toBe(resultsIn(first).advice);
    const html = scratch.join("again.html");
    expect(await strata("bench", "report", first, "--html", html)).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/i);
    expect(JSON.parse((await strata("bench", "report", first, "--json")).stdout)).toEqual(resultsIn(first));
  });

  it("must be there, and be results", async () => {
    const other = scratch.join("other.json");
    writeFileSync(other, "{}");
    for (const args of [
      ["report", other],
      ["report", `${other}.gone`],
      ["compare", first, other],
    ]) {
      const { code, stderr } = await strata("bench", ...args);
      expect(code).toBe(1);
      expect(stderr).toContain("other.json");
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });
});

describe("a command line that is not understood", () => {
  it.each([
    [
      ["nosuch"],
      "there is no workload nosuch, only apply, copy-up, hashing, lifecycle, changes, read, store, registry",
    ],
    [["--json", "hashing"], "is ./hashing meant?"],
    [["--quick", "--full"], "'--quick' cannot be used with option '--full'"],
    [["--loop", "btrfs,zfs"], "Not of btrfs, xfs, ext4."],
    [["--threads", "0"], "Not a whole number above 0."],
    [["compare", "a.json"], "missing required argument 'b'"],
  ])("%j ends with 125", async (args, message) => {
    const { code, stderr } = await strata("bench", ...args);
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining(message) });
  });
});

it("what cannot be written is said before anything is measured", async () => {
  for (const option of ["--json", "--html"]) {
    const { code, stderr } = await bench(option, scratch.join("nosuch/out"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: invalid output path: directory ".*nosuch" does not exist\n$/);
  }
});

it("without a driver that works there is nothing to say, and why", async () => {
  const { code, stderr } = await strata(
    "bench",
    "hashing",
    "--quick",
    "--driver",
    "btrfs",
    "--directory",
    "/dev/shm",
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Error: nothing was measured; btrfs: btrfs cannot work in /m);
});
