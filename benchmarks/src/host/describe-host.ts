import { arch, availableParallelism, cpus, hostname, loadavg, release, totalmem } from "node:os";
import type { Results } from "../results/schema.ts";

/** What figures depend on. */
export function describeHost(): Results["host"] {
  return {
    name: hostname(),
    kernel: release(),
    architecture: arch(),
    processor: cpus()[0]?.model ?? "unknown",
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
    root: process.geteuid?.() === 0,
    loadAverage: loadavg()[0] ?? 0,
  };
}
