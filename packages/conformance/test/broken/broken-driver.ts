import type { DriverModule, Supports } from "@strata/conformance";
import type { DriverOptions, StorageDriver } from "@strata/core";
import { MemoryDriver } from "../memory/memory-driver.ts";
import type { TreeCopy } from "../memory/tree-copy.ts";
import { Trees } from "../memory/trees.ts";

/** A driver with one flaw. */
export interface BrokenDriver {
  /** What it does wrong: `it ...` */
  readonly flaw: string;
  readonly create: (options: DriverOptions) => Promise<StorageDriver>;
  /** For behaviours of several processes. @defaultValue none, and they are skipped */
  readonly module?: DriverModule;
  /** Where it differs from the driver in memory. @defaultValue nowhere */
  readonly supports?: Partial<Supports>;
  /** The ids of exactly those behaviours that it fails. */
  readonly fails: readonly string[];
}

type Create = BrokenDriver["create"];

/** A driver in memory that copies trees in another way. */
export function copying(Copy: typeof TreeCopy): Create {
  return async (options) => new MemoryDriver(options, (directory) => new Trees(directory, Copy));
}

/** A driver in memory that keeps trees in another way. */
export function keeping(Kept: typeof Trees): Create {
  return async (options) => new MemoryDriver(options, (directory) => new Kept(directory));
}

/** A driver in memory that keeps its books in another way. */
export function driving(Driver: typeof MemoryDriver): Create {
  return async (options) => new Driver(options);
}
