import { createDriver, type DriverOptions, type StorageDriver } from "@strata/core";
import { OverlayMechanism } from "./mechanism.ts";

export type Overlay2Options = DriverOptions;

/**
 * A storage driver on overlayfs: a snapshot holds only what it changes, and the kernel shows it merged with its
 * parents. Preparing and mounting cost the same for any size of tree, and files are copied when they are first
 * written.
 *
 * ```ts
 * const driver = await overlay2({ root: "/var/lib/my-tool/snapshots" });
 * ```
 * @throws StrataError `Unsupported`, if overlayfs cannot be used here: it needs root, Linux 6.7 or later, and a root
 *   directory on a file system that can be an upper layer (ext4, xfs, btrfs, tmpfs; not overlayfs or NFS)
 * @throws StrataError `FailedPrecondition`, if the root belongs to another driver
 */
export function overlay2(options: Overlay2Options): Promise<StorageDriver> {
  return createDriver(new OverlayMechanism(options.durability === "none"), options);
}
