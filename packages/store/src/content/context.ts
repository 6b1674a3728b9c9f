import type { StorageDriver } from "@strata/core";
import type { LayerWorkers } from "@strata/layer";

/** What the functions behind {@link Store} work on. */
export interface StoreContext {
  /** The store's root: an OCI image layout, with containers, staging and lock beside it. Absolute. */
  readonly root: string;
  readonly driver: StorageDriver;
  /** Whether what is committed must survive a power cut. */
  readonly durable: boolean;
  /** The threads that unpack layers; started at the first call. */
  workers(): Promise<LayerWorkers>;
}
