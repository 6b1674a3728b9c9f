import type { Readable } from "node:stream";
import type { Digest } from "@strata/core";
import { StrataError } from "@strata/core";
import type { Limits } from "@strata/layer";
import type { StoreContext } from "./content/context.ts";
import type { OnProgress } from "./progress.ts";

export interface LoadOptions {
  /** Which image of an index to take: `linux/arm/v7`. @defaultValue the host's */
  readonly platform?: string;
  /** What the archive and its layers may ask for. @defaultValue `defaultLimits` of the layer package */
  readonly limits?: Partial<Limits>;
  /** Do not set owners; for a store of an ordinary user. @defaultValue false */
  readonly ignoreOwnership?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface LoadedImage {
  readonly id: Digest;
  /** The references that name it now, in full form. */
  readonly references: readonly string[];
  /** References that named another image before, and that image's ID. */
  readonly replaced: readonly { readonly reference: string; readonly id: Digest }[];
}

export async function load(
  _context: StoreContext,
  _source: string | Readable,
  _options: LoadOptions = {},
): Promise<LoadedImage[]> {
  throw new StrataError("Unsupported", "load: not built yet");
}
