import type { Digest } from "@strata/core";

/** What happens to one layer, or one image, while it comes in. */
export type ProgressEvent = LayerProgress | ImageProgress;

/**
 * What is being done about a layer, in this order; each is left out where there is nothing to do. A layer that is pulled
 * is unpacked while it is downloading, too: `unpacking` tells of what remains then.
 */
export type LayerStatus =
  | "waiting"
  | "downloading"
  | "downloaded"
  | "unpacking"
  /** As `unpacking`, of a layer that comes from an archive. */
  | "loading"
  | "done"
  /** It was here before. */
  | "exists";

export interface LayerProgress {
  readonly kind: "layer";
  readonly diffId?: Digest;
  /** 12 hex digits: of the blob's digest, if it comes from a registry, else of the DiffID. */
  readonly label: string;
  readonly status: LayerStatus;
  /** Bytes of the layer's blob that have arrived, while it is downloading, else those read so far. */
  readonly bytes: number;
  readonly totalBytes?: number;
}

export interface ImageProgress {
  readonly kind: "image";
  readonly id: Digest;
  readonly references: readonly string[];
}

/** Called as work goes on; it must not throw. */
export type OnProgress = (event: ProgressEvent) => void;
