import type { Capabilities, DriverOptions, StorageDriver } from "@strata/core";
import type { FileSystemType } from "./host/loop-file-system.ts";

/** The capabilities that a driver has or lacks. */
export type CapabilityName = Exclude<keyof Capabilities, "maxDepth">;

/** What a driver's own test says that it can do, so that a wrong probe is found out. */
export type Supports = Readonly<Record<CapabilityName, boolean>> & { readonly maxDepth: number };

/** Something that a driver or a behaviour needs the host to have: root's privileges, or a program by its name. */
export type Facility = "root" | (string & {});

/** A driver that is held to the suite. */
export interface DriverUnderTest {
  /** As in {@link StorageDriver.name}. */
  readonly name: string;
  /** The driver's factory; each behaviour opens a driver on a root of its own. */
  readonly create: (options: DriverOptions) => Promise<StorageDriver>;
  /** What the capabilities must say: restated, not read from the driver. */
  readonly supports: Supports;
  /** What the host must have for this driver. @defaultValue nothing */
  readonly requires?: readonly Facility[];
  /** The file system that the roots lie on, made on a loop device. @defaultValue that of {@link directory} */
  readonly fileSystem?: FileSystemType;
  /** Where roots and other scratch files go. @defaultValue the host's directory for temporary files */
  readonly directory?: string;
  /**
   * The module that exports `create`, for behaviours that take several processes: `import.meta.resolve("...")`, and the
   * name of the export. @defaultValue none; those behaviours are skipped
   */
  readonly module?: DriverModule;
  /**
   * Whether the driver keeps its state on disk. One that keeps it in memory has nothing to reopen or to share between
   * processes. @defaultValue true
   */
  readonly persistent?: boolean;
}

export interface DriverModule {
  /** A `file:` URL. */
  readonly url: string;
  /** The name of the factory among its exports. */
  readonly factory: string;
}
