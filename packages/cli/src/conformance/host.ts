import { arch, availableParallelism, cpus, release, totalmem } from "node:os";
import type { Host } from "@strata/conformance/suite";
import { fileSystemOf } from "../file-system.ts";

/** @param directory - absolute; where the driver's roots are made */
export async function describeHost(directory: string): Promise<Host> {
  return {
    kernel: release(),
    architecture: arch(),
    directory,
    fileSystem: await fileSystemOf(directory),
    processor: cpus()[0]?.model ?? "unknown",
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
    root: process.geteuid?.() === 0,
  };
}
