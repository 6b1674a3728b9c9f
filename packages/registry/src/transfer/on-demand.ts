import type { Reference, Store } from "@strata/store";
import type { Registries } from "../registries.ts";
import type { PushedImage, PushOptions } from "./push.ts";

/**
 * Publish an image of the store under its reference, byte for byte; see the function of the same name in `push.ts`. That
 * is loaded when this is first called: who pulls does without.
 */
export async function push(
  store: Store,
  registries: Registries,
  reference: Reference,
  options: PushOptions = {},
): Promise<PushedImage> {
  const { push } = await import("./push.ts");
  return await push(store, registries, reference, options);
}
