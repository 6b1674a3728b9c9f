import type { Digest } from "@strata/core";
import type { LayerSource, Limits } from "@strata/layer";
import type { OnProgress } from "../progress.ts";

/** Options of everything that brings layers in. */
export interface IngestOptions {
  readonly limits?: Partial<Limits>;
  /** Leave out owners, and what else only root can make. @defaultValue where the driver cannot keep owners */
  readonly ignoreOwnership?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** The bytes of one layer of an image on its way in. */
export interface LayerInput {
  /** Names the layer in errors. */
  readonly what: string;
  /** Where the bytes are. @defaultValue in the store already, under `blob` */
  readonly source?: LayerSource;
  /** The source is a whole file of the staging directory: it becomes the blob and need not be copied. */
  readonly staged?: boolean;
  /** What the manifest says, where there is one. */
  readonly blob?: Digest;
  readonly size?: number;
}

/** A layer in its place: named by ChainID, above its parent. */
export interface LayerPlan {
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
  readonly diffId: Digest;
  readonly input: LayerInput;
}
