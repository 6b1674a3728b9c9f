import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname, release } from "node:os";
import { promisify } from "node:util";
import { missingFacilities, mountsBelow, Scratch } from "@strata/conformance/suite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ProgressReport, resultsSchema, runBenchmarks } from "../dist/index.js";
import { benchOptions, driverModule } from "./support/bench-options.ts";

let scratch: Scratch;

beforeEach(() => {
  scratch = new Scratch("/var/tmp");
});

afterEach(async () => {
  expect(readdirSync(scratch.path)).toEqual([]);
  expect(mountsBelow(scratch.path)).toEqual([]);
  await scratch[Symbol.asyncDispose]();
});

it("gives results as their schema has them, with the host, the subjects and every sample", async () => {
  const reports: ProgressReport[] = [];
  const results = await runBenchmarks({
    ...benchOptions(scratch.path),
    threads: 2,
    onProgress: (report) => reports.push(report),
  });
  expect(resultsSchema.parse(JSON.parse(JSON.stringify(results)))).toEqual(results);
  expect(results).toMatchObject({
    strata: { version: "0.0.0" },
    host: { name: hostname(), kernel: release(), node: process.versions.node },
    options: {
      scale: "quick",
      workloads: ["hashing"],
      threads: [1, 2],
      seed: 1,
      cache: "warm",
      strict: false,
    },
    subjects: [{ id: "vfs", kind: "driver", fileSystem: { directory: scratch.path, loop: false } }],
    missing: [],
    failures: [],
  });
  const { version } = JSON.parse(
    readFileSync(new URL("../package.json", driverModule("vfs").module.url), "utf8"),
  );
  expect(results.subjects[0]?.version).toBe(version);
  expect(new Set(results.measurements.map(({ threads }) => threads))).toEqual(new Set([1, 2]));
  for (const { threads, rounds, statistics } of results.measurements) {
    const perRound = rounds.map(({ samplesMilliseconds }) => samplesMilliseconds.length / threads);
    expect(new Set(perRound).size).toBe(1);
    expect(statistics.samples).toBe((perRound[0] ?? 0) * threads * rounds.length);
  }
  const cases = new Set(results.measurements.map(({ title }) => title)).size;
  expect(reports.at(-1)).toMatchObject({ casesDone: cases - 1, cases, workload: "hashing", subject: "vfs" });
});

it("leaves out a workload whose program is missing, and says so", async () => {
  const { signal: _, onProgress: __, ...options } = benchOptions(scratch.path);
  const index = JSON.stringify(new URL("../dist/index.js", import.meta.url));
  const script = `
    import { runBenchmarks } from ${index};
    const options = ${JSON.stringify({ ...options, workloads: ["registry"] })};
    const others = { signal: new AbortController().signal, onProgress: () => {} };
    console.log(JSON.stringify(await runBenchmarks({ ...options, ...others })));
  `;
  // A process of its own, which finds no programs.
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { PATH: "/nonexistent" } });
  const { missing, workloads, failures } = resultsSchema.parse(JSON.parse(stdout));
  const reason = "not installed: the workload registry is left out";
  expect(missing).toEqual([{ id: "docker-registry", kind: "peer", reason }]);
  expect({ workloads, failures }).toEqual({ workloads: [], failures: [] });
});

it("lists what does not work here, with the reason", async () => {
  const absent = { name: "absent", module: { url: "file:///absent.js", factory: "absent" } };
  const { missing, measurements } = await runBenchmarks({ ...benchOptions(scratch.path), drivers: [absent] });
  expect(missing).toEqual([{ id: "absent", kind: "driver", reason: expect.stringContaining("absent.js") }]);
  expect(measurements).toEqual([]);
});

const withoutLoops = missingFacilities(["root", "mkfs.ext4", "mkfs.xfs"]);
const itWithLoops = it.skipIf(withoutLoops.length > 0);
const title = (what: string) => (withoutLoops.length > 0 ? `${what} (needs ${withoutLoops.join()})` : what);

/** The files below the directory that are the disk of a loop device. */
function loopFiles(): string[] {
  return readdirSync("/sys/block")
    .map((device) => `/sys/block/${device}/loop/backing_file`)
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, "utf8").trim())
    .filter((path) => path.startsWith(scratch.path));
}

itWithLoops(title("measures on file systems that it makes, and says so"), async () => {
  const { subjects } = await runBenchmarks({ ...benchOptions(scratch.path), loop: ["xfs"] });
  expect(subjects).toMatchObject([
    { id: "vfs", fileSystem: { loop: false } },
    { id: "vfs on xfs (loop)", fileSystem: { type: "xfs", loop: true } },
  ]);
  expect(loopFiles()).toEqual([]);
});

itWithLoops(title("ends on a signal, and leaves nothing behind"), async () => {
  const abort = new AbortController();
  const reason = new Error("enough");
  let loops: string[] = [];
  const running = runBenchmarks({
    ...benchOptions(scratch.path),
    loop: ["xfs", "ext4"],
    signal: abort.signal,
    onProgress: ({ round }) => {
      if (round !== 1) return;
      loops = loopFiles();
      abort.abort(reason);
    },
  });
  await expect(running).rejects.toBe(reason);
  expect(loops.length).toBeGreaterThan(0);
  expect(loopFiles()).toEqual([]);
});
