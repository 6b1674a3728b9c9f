import type { Digest } from "@strata/core";

/** What happens to one layer, or one image, while it comes in. */
export type ProgressEvent = LayerProgress | ImageProgress;

export interface LayerProgress {
  readonly kind: "layer";
  readonly diffId?: Digest;
  /** 12 hex digits. */
  readonly label: string;
  readonly status: "waiting" | "loading" | "done" | "exists";
  /** Bytes of the layer's blob read so far. */
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
