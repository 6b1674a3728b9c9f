import { StrataError } from "@strata/core";
import type { StoreContext } from "./content/context.ts";

export interface SaveOptions {
  readonly signal?: AbortSignal;
}

export async function* save(
  _context: StoreContext,
  _references: readonly string[],
  _options: SaveOptions = {},
): AsyncGenerator<Buffer> {
  yield* [];
  throw new StrataError("Unsupported", "save: not built yet");
}
