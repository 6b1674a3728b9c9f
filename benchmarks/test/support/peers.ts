import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mountsBelow, Scratch } from "@strata/conformance/suite";
import { expect } from "vitest";

const programs: Readonly<Record<string, readonly string[]>> = {
  docker: ["dockerd", "docker", "containerd", "ctr"],
  containerd: ["containerd", "ctr"],
};

/** What a peer is run by. */
export function programsOf(id: string): readonly string[] {
  return programs[id] ?? [id];
}

/** Afterwards nothing is mounted in the directory that something was done in, nothing is in it, and nothing runs. */
export async function leavesNothing(
  parentDirectory: string,
  act: (directory: string) => Promise<void>,
): Promise<void> {
  await using parent = new Scratch(parentDirectory);
  const directory = parent.join("stores");
  mkdirSync(directory);
  const before = new Set(startedProcesses());
  await act(directory);
  expect(mountsBelow(parent.path)).toEqual([]);
  expect(readdirSync(directory)).toEqual([]);
  expect(startedProcesses().filter((line) => !before.has(line))).toEqual([]);
}

/** The command lines of the processes whose parent is this one. */
function startedProcesses(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /, "")
          .split(" ");
        return Number(parent) === process.pid ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : [];
      } catch {
        return []; // it has just ended
      }
    });
}
