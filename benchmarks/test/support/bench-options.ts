import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { BenchOptions, DriverModule } from "../../dist/index.js";

const require = createRequire(import.meta.url);

/** A driver of this repository's. */
export function driverModule(name: "overlay2" | "vfs"): DriverModule {
  const url = pathToFileURL(require.resolve(`@strata/driver-${name}`)).href;
  return { name, module: { url, factory: name } };
}

/** The shortest run there is. */
export function benchOptions(directory: string): BenchOptions {
  return {
    workloads: ["hashing"],
    scale: "quick",
    drivers: [driverModule("vfs")],
    directory,
    loop: [],
    peers: false,
    threads: 1,
    cold: false,
    strict: false,
    seed: 1,
    strata: { version: "0.0.0" },
    command: [],
    signal: new AbortController().signal,
    onProgress: () => {},
  };
}
