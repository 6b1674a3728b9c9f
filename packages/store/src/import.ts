import type { Readable } from "node:stream";
import type { Digest } from "@strata/core";
import { StrataError } from "@strata/core";
import type { Limits } from "@strata/layer";
import type { StoreContext } from "./content/context.ts";
import type { OnProgress } from "./progress.ts";

export interface ImportOptions {
  /** Names the image. @defaultValue it gets no name */
  readonly reference?: string;
  /** Lines of a Dockerfile for the config: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[];
  /** The comment of the one step of its history. */
  readonly message?: string;
  /** `linux/arm/v7`. @defaultValue the host's */
  readonly platform?: string;
  readonly limits?: Partial<Limits>;
  /** Do not set owners; for a store of an ordinary user. @defaultValue false */
  readonly ignoreOwnership?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export async function importImage(
  _context: StoreContext,
  _source: string | Readable,
  _options: ImportOptions = {},
): Promise<{ id: Digest }> {
  throw new StrataError("Unsupported", "import: not built yet");
}
