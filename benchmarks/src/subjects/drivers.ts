import { readFile } from "node:fs/promises";
import { Scratch } from "@strata/conformance/suite";
import type { DriverOptions, StorageDriver } from "@strata/core";
import { mountHolding } from "@strata/linux";
import type { DriverSubject } from "../workload.ts";

/** A driver's package. */
export interface DriverModule {
  /** What results call it. */
  readonly name: string;
  /** Where threads import it from. */
  readonly module: { readonly url: string; readonly factory: string };
}

/** Where something is measured. */
export interface Place {
  /** An absolute real path. */
  readonly directory: string;
  /** Whether its file system was made in a file, for lack of one. */
  readonly loop: boolean;
}

/** A driver on a file system. */
export type FoundDriver =
  | { readonly subject: DriverSubject; readonly version: string; readonly lacks: readonly string[] }
  | { readonly id: string; readonly reason: string };

/** See whether a driver works at a place, and what it says of itself there. */
export async function findDriver(driver: DriverModule, place: Place): Promise<FoundDriver> {
  const fileSystem = mountHolding(place.directory)?.fstype ?? "unknown";
  const id = place.loop ? driverOnLoop(driver.name, fileSystem) : driver.name;
  try {
    await using scratch = new Scratch(place.directory);
    await using opened = await openDriver(driver.module, { root: scratch.join("root"), durability: "none" });
    const { capabilities } = opened;
    const { maxDepth: _, ...others } = capabilities;
    const lacks = Object.entries(others)
      .filter(([, { supported }]) => !supported)
      .map(([name, { reason }]) => `${name}: ${reason}`);
    const subject: DriverSubject = {
      kind: "driver",
      id,
      driver: driver.name,
      module: driver.module,
      capabilities,
      directory: place.directory,
      fileSystem,
      loop: place.loop,
    };
    return { subject, version: await packageVersion(driver.module.url), lacks };
  } catch (error) {
    return { id, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** What a driver is called on a file system that was made in a file. */
export function driverOnLoop(name: string, fileSystem: string): string {
  return `${name} on ${fileSystem} (loop)`;
}

/** The version of the package that a module belongs to: of the nearest `package.json` above it that has one. */
async function packageVersion(module: string): Promise<string> {
  for (let place = new URL(".", module); ; place = new URL("..", place)) {
    const text = await readFile(new URL("package.json", place), "utf8").catch(() => "{}");
    const { version }: { version?: unknown } = JSON.parse(text);
    if (typeof version === "string") return version;
    if (place.pathname === "/") return "unknown";
  }
}

/** Open a driver by its module, in any thread. */
export async function openDriver(
  { url, factory }: DriverModule["module"],
  options: DriverOptions,
): Promise<StorageDriver> {
  const module: Readonly<Record<string, unknown>> = await import(url);
  const make = module[factory];
  if (!isFactory(make)) throw new Error(`${url} exports no function ${factory}`);
  return await make(options);
}

function isFactory(value: unknown): value is (options: DriverOptions) => Promise<StorageDriver> {
  return typeof value === "function";
}
