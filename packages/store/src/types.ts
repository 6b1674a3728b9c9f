export interface CheckOptions {
  /** Compare sizes and presence only, no content. @defaultValue false */
  readonly quick?: boolean;
  readonly signal?: AbortSignal;
  onProgress?(subject: string): void;
}

/** Bytes on disk by what holds them. */
export interface DiskUsage {
  readonly images: UsageLine;
  readonly containers: UsageLine;
  readonly blobs: UsageLine;
  readonly staging: UsageLine;
}

export interface UsageLine {
  readonly count: number;
  readonly active: number;
  readonly bytes: number;
  /** Bytes that removing what is not in use would give back. */
  readonly reclaimable: number;
}
