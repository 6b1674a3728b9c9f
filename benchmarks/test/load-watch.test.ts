import { execFileSync, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { HostBusy, runBenchmarks } from "../dist/index.js";
import { benchOptions } from "./support/bench-options.ts";
import { Probe } from "./support/probe.ts";

/** A busy process for each processor, none of which descends from this one; they end by themselves if it is killed. */
class BusyHost implements Disposable {
  readonly #pids: readonly string[];

  constructor() {
    const script = `for i in $(seq ${availableParallelism()}); do (ulimit -t 60; while :; do :; done) >/dev/null & echo $!; done`;
    this.#pids = execFileSync("sh", ["-c", script], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .split("\n")
      .filter(Boolean);
  }

  [Symbol.dispose](): void {
    execFileSync("kill", ["-KILL", ...this.#pids]);
  }
}

const busy = /the processors were \d+ % busy before it began/;
const others = /other processes took \d+ % of the processors' time meanwhile/;

describe("a host that does something else", () => {
  it("is noted in what is measured", async () => {
    await using probe = new Probe();
    using _ = new BusyHost();
    const { measurements } = await probe.run(probe.case({ at: "one", act: "spin" }, { iterations: 300 }));
    expect(measurements).toHaveLength(6);
    for (const { disturbances } of measurements) {
      expect(disturbances).toEqual(
        expect.arrayContaining([expect.stringMatching(busy), expect.stringMatching(others)]),
      );
    }
  });

  it("is refused by a strict case, before anything is made", async () => {
    await using probe = new Probe();
    using _ = new BusyHost();
    const refused = probe.run(probe.case({}), { strict: true });
    await expect(refused).rejects.toThrow(HostBusy);
    await expect(refused).rejects.toThrow(
      /is not at rest: the processors were \d+ % busy.*leave out --strict/,
    );
    expect(probe.notes).toEqual([]);
  });

  it("is refused by a strict run", async () => {
    await using directory = new Scratch();
    using _ = new BusyHost();
    const refused = runBenchmarks({ ...benchOptions(directory.path), strict: true });
    await expect(refused).rejects.toThrow(HostBusy);
  });
});

const missing = missingFacilities(["root", "unshare"]);
it.skipIf(missing.length > 0)(
  `its own children are no others (needs ${missing.join() || "nothing more"})`,
  () => {
    // In a world of its own: whatever else runs on this host is not seen there.
    const script = `
    import { spawn } from "node:child_process";
    import { readFileSync } from "node:fs";
    import { timeOfOthers } from "${new URL("../dist/host/other-processes.js", import.meta.url)}";
    const ticks = (pid) => Number(readFileSync(\`/proc/\${pid}/stat\`, "utf8").split(" ")[13]);
    const before = timeOfOthers();
    const child = spawn("sh", ["-c", "ulimit -t 60; while :; do :; done"]);
    while (ticks(child.pid) < 40) await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(timeOfOthers() - before);
    child.kill("SIGKILL");
  `;
    const node = [process.execPath, "--input-type=module", "--eval", script];
    const ticksOfOthers = (beside: string) => {
      // Not exec: the shell is process 1, and no child of what measures.
      const inside = ["sh", "-c", `${beside} "$@"; true`, "sh", ...node];
      const { stdout, stderr } = spawnSync(
        "unshare",
        ["--pid", "--fork", "--mount-proc", "--kill-child", ...inside],
        {
          encoding: "utf8",
          cwd: fileURLToPath(new URL(".", import.meta.url)),
        },
      );
      expect(stderr).toBe("");
      return Number(stdout);
    };
    expect(ticksOfOthers("")).toBeLessThan(5);
    expect(ticksOfOthers("(ulimit -t 60; while :; do :; done) >/dev/null &")).toBeGreaterThan(8);
  },
);
