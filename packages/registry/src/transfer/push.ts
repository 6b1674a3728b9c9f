import { type Digest, StrataError } from "@strata/core";
import type { Reference, Store } from "@strata/store";
import type { Registries } from "../registries.ts";

/** What is being done about a layer, in this order. */
export type PushStatus =
  /** It is its turn soon: whether the registry has it is not known yet. */
  | "preparing"
  | "pushing"
  | "pushed"
  /** The repository had it before. */
  | "exists"
  /** The registry took it from another of its repositories. */
  | "mounted"
  /** It may not be passed on: whoever pulls the image has it from elsewhere. */
  | "skipped";

export interface PushProgress {
  /** Of the layer's blob. */
  readonly digest: Digest;
  /** 12 hex digits of the digest. */
  readonly label: string;
  readonly status: PushStatus;
  /** Bytes that the registry has, of so many. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** The repository that it was mounted from: `team/base`. */
  readonly from?: string;
}

export interface PushOptions {
  /** Layers that are sent at the same time. @defaultValue 5 */
  readonly uploads?: number;
  readonly signal?: AbortSignal;
  /** Called as work goes on; it must not throw. */
  readonly onProgress?: (event: PushProgress) => void;
}

/** An image that a registry has now. */
export interface PushedImage {
  /** In full form. */
  readonly reference: string;
  /** Of the manifest, as it is in the store. */
  readonly digest: Digest;
  /** Of the manifest, in bytes. */
  readonly sizeBytes: number;
}

/**
 * Publish an image of the store under its reference, byte for byte: its digests stay what they are.
 *
 * Blobs that the repository has are not sent; those that another repository of the registry has are mounted from there.
 * An upload that was cut off goes on from the byte that the registry has, also in another process.
 * @throws StrataError `NotFound`, "An image does not exist locally with the tag: R"; else as `RegistryClient`
 */
export async function push(
  _store: Store,
  _registries: Registries,
  _reference: Reference,
  _options: PushOptions = {},
): Promise<PushedImage> {
  throw new StrataError("Unsupported", "not written yet");
}
