import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { run } from "../peers/command.ts";

/** What figures depend on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Of the directory that everything was measured in. */
  readonly fileSystem: string;
  readonly node: string;
  readonly podman: string;
  readonly skopeo: string;
}

/** @param directory - what is measured lies in it */
export async function describeMachine(directory: string): Promise<Machine> {
  const version = async (program: string) =>
    (await run(program, ["--version"])).stdout.trim().split(" ").at(2);
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    fileSystem: fileSystemOf(directory),
    node: process.version,
    podman: (await version("podman")) ?? "unknown",
    skopeo: (await version("skopeo")) ?? "unknown",
  };
}

export function machineLines(machine: Machine): string[] {
  const { processor, cores, memoryBytes, kernel, fileSystem, node, podman, skopeo } = machine;
  return [
    `${processor}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, Linux ${kernel}, ${fileSystem}`,
    `Node ${node}, Podman ${podman}, Skopeo ${skopeo}`,
  ];
}

/** The type of the mount whose mount point is the longest beginning of `path`. */
function fileSystemOf(path: string): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([, mountPoint = "", type = ""]) => ({ mountPoint, type }))
    .filter(({ mountPoint }) => mountPoint === "/" || `${path}/`.startsWith(`${mountPoint}/`))
    .sort((a, b) => b.mountPoint.length - a.mountPoint.length);
  return mounts[0]?.type ?? "unknown";
}
