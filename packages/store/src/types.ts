import type { Digest } from "@strata/core";

/** A filter of `images`: `dangling=true`, `label=k` or `label=k=v`, `before=image`, `since=image`, `reference=pattern`. */
export interface ImageFilter {
  readonly key: "dangling" | "label" | "before" | "since" | "reference";
  readonly value: string;
}

export interface ImagesOptions {
  /** Images without a reference that others are built on, too. @defaultValue false */
  readonly all?: boolean;
  readonly filters?: readonly ImageFilter[];
  /** Only images with one of these references: `repository`, `repository:tag`, or a pattern of these. */
  readonly references?: readonly string[];
}

export interface ImageSummary {
  readonly id: Digest;
  /** References with a tag, in full form. */
  readonly references: readonly string[];
  /** The digest of the manifest. */
  readonly digest: Digest;
  /** References with a digest, in full form. */
  readonly repoDigests: readonly string[];
  /** RFC 3339. */
  readonly created: string;
  /** Bytes of the regular files of all layers. */
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
  /** `linux/amd64`, `linux/arm/v7`. */
  readonly platform: string;
  readonly parentId?: Digest;
}

/** One step of an image's history. */
export interface HistoryEntry {
  /** The image that ends with this step, where this store has it. */
  readonly id?: Digest;
  /** RFC 3339. */
  readonly created: string;
  readonly createdBy: string;
  /** Bytes of the regular files of its layer. */
  readonly size: number;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

/** What removing an image did. */
export type RemovalEvent = { readonly untagged: string } | { readonly deleted: Digest };

export interface RemoveImagesOptions {
  /** Untag and remove in spite of stopped containers and several references. @defaultValue false */
  readonly force?: boolean;
  /** Remove parents that have no reference of their own, too. @defaultValue true */
  readonly prune?: boolean;
}

export interface CreateContainerOptions {
  /** @defaultValue two words made up */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
}

/** A container: a writable layer over an image. */
export interface ContainerRecord {
  /** 64 hex digits; also the key of its snapshot. */
  readonly id: string;
  readonly name: string;
  readonly imageId: Digest;
  /** What the image was called when the container was made. */
  readonly image: string;
  /** RFC 3339. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

export interface ContainerSummary extends ContainerRecord {
  /** Where its tree is visible now. */
  readonly mountedAt?: string;
}

export interface CommitOptions {
  readonly reference?: string;
  readonly author?: string;
  readonly message?: string;
  /** Lines of a Dockerfile: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface CommitResult {
  readonly id: Digest;
  /** Bytes of the regular files of the new layer. */
  readonly size: number;
  /** Caches and temporary files that the layer holds, largest first. */
  readonly junk: readonly { readonly path: string; readonly bytes: number }[];
}

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
