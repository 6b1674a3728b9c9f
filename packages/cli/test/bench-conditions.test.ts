import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { resultsSchema } from "@strata/benchmarks";
import { missingFacilities, mountsBelow } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { useBench } from "./support/bench.ts";
import { cleanEnvironment, launcher, run, useScratch } from "./support/strata.ts";

const scratch = useScratch();
const { bench, directory: at } = useBench();
const isRoot = process.geteuid?.() === 0;

describe.runIf(isRoot)("an ordinary user", () => {
  async function asNobody(...args: string[]) {
    const directory = scratch.join("nobody");
    if (!existsSync(directory)) mkdirSync(directory);
    chmodSync(scratch.join("."), 0o755);
    chmodSync(directory, 0o777);
    const whole = [
      launcher,
      "bench",
      "hashing",
      "--quick",
      "--threads",
      "1",
      "--directory",
      directory,
      ...args,
    ];
    return await run("setpriv", [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      process.execPath,
      ...whole,
    ]);
  }

  it("measures vfs, and is told what the rest takes", async () => {
    const { code, stdout } = await asNobody("--json", "--loop", "xfs");
    expect(code).toBe(0);
    const { subjects, missing, host } = resultsSchema.parse(JSON.parse(stdout));
    expect(host.root).toBe(false);
    expect(subjects.map(({ id }) => id)).toEqual(["vfs"]);
    expect(missing).toEqual(
      expect.arrayContaining([
        { id: "overlay2", kind: "driver", reason: expect.stringContaining("root") },
        { id: "vfs on xfs (loop)", kind: "driver", reason: expect.stringContaining("takes root") },
      ]),
    );
  });

  it("cannot drop the page cache", async () => {
    const { code, stderr } = await asNobody("--cold");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "Error: the page cache cannot be dropped: that takes root, on the host itself\n",
    });
  });
});

it("refuses, if it is strict, a host that does something else", async () => {
  // It ends by itself.
  const busy = spawn(
    "sh",
    ["-c", "for i in $(seq $(nproc)); do (ulimit -t 20; while :; do :; done) & done; wait"],
    {
      detached: true,
      stdio: "ignore",
    },
  );
  try {
    const { code, stderr } = await bench("--strict");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: the host is not at rest: the processors were \d+ % busy .*--strict\n$/);
  } finally {
    if (busy.pid !== undefined) process.kill(-busy.pid, "SIGKILL");
  }
});

const missing = missingFacilities(["root", "mkfs.xfs", "openssl"]);
describe.skipIf(missing.length > 0)(`a signal (needs ${missing.join() || "nothing more"})`, () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends it with %d, and leaves nothing behind", async (signal, code) => {
    const args = [
      "bench",
      "hashing",
      "--full",
      "--peers",
      "--driver",
      "vfs",
      "--loop",
      "xfs",
      "--directory",
      at,
    ];
    const child = spawn(process.execPath, [launcher, ...args], {
      env: cleanEnvironment(),
      stdio: ["ignore", "ignore", "pipe"],
      // A group of its own, to see whether any of its children lives on.
      detached: true,
    });
    const group = child.pid ?? 0;
    await once(child.stderr, "data");
    child.stderr.resume();
    await expect.poll(() => groupHas(group, "openssl"), { timeout: 60_000 }).toBe(true);
    expect(mountsBelow(at)).toHaveLength(1);
    child.kill(signal);
    expect(await once(child, "close")).toEqual([code, null]);
    expect(() => process.kill(-group, 0)).toThrow("ESRCH");
    expect(readdirSync(at)).toEqual([]);
    expect(mountsBelow(at)).toEqual([]);
  });
});

function groupHas(group: number, program: string): boolean {
  return execFileSync("ps", ["-eo", "pgid=,comm="], { encoding: "utf8" })
    .split("\n")
    .some((line) => new RegExp(`^\\s*${group}\\s+${program}$`).test(line));
}
