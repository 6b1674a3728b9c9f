import type { DriverOptions, StorageDriver } from "@strata/core";

type Factory = (options: DriverOptions) => Promise<StorageDriver>;

/** Copies trees, and mounts them; what the others are made from. */
export const whole: Factory;
/** Makes a tree in a directory beside the snapshots' own, and moves it into the snapshot's when it is complete. */
export const makingElsewhere: Factory;
/** Keeps in a variable what is mounted. */
export const rememberingMounts: Factory;
/** Moves a tree when it is sealed, to where only a committed snapshot's is looked for. */
export const sealingOnce: Factory;
/** Cannot destroy a directory in which there is no tree, or no longer one. */
export const destroyingOnce: Factory;
