import { Scratch } from "@strata/conformance/suite";
import type { DriverOptions, StorageDriver } from "@strata/core";
import { mountHolding } from "@strata/linux";
import type { DriverSubject } from "../workload.ts";

/** A driver's package. */
export interface DriverModule {
  readonly name: string;
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
  | { readonly subject: DriverSubject; readonly lacks: readonly string[] }
  | { readonly id: string; readonly reason: string };

/** See whether a driver works at a place, and what it says of itself there. */
export async function findDriver(driver: DriverModule, place: Place): Promise<FoundDriver> {
  const fileSystem = mountHolding(place.directory)?.fstype ?? "unknown";
  const id = place.loop ? `${driver.name} on ${fileSystem} (loop)` : driver.name;
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
    return { subject, lacks };
  } catch (error) {
    return { id, reason: error instanceof Error ? error.message : String(error) };
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
