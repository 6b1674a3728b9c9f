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

export interface DownloadingOptions extends IngestOptions {
  /** Blobs that are downloaded at the same time. @defaultValue 3 */
  readonly downloads?: number;
}

/** A blob that is elsewhere. */
export interface RemoteBlob {
  readonly digest: Digest;
  readonly size: number;
  /**
   * Its bytes from a position on, which is below its size. It goes on by itself where a connection breaks off; what it
   * throws ends all.
   */
  read(from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The bytes of one layer of an image on its way in. */
export interface LayerInput {
  /** Names the layer in errors. */
  readonly what: string;
  /** Where the bytes are. @defaultValue in the store already, under `blob` */
  readonly source?: LayerSource;
  /** Where the bytes are to be had, unless they are in the store already. */
  readonly remote?: RemoteBlob;
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
