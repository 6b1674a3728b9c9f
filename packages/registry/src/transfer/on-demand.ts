import type { Reference, Store } from "@strata/store";
import type { Registries } from "../registries.ts";
import type { PushedImage, PushOptions } from "./push.ts";

/**
 * Publish an image of the store under its reference, byte for byte: its digests stay what they are.
 *
 * Blobs that the repository has are not sent; those that another repository of the registry has are mounted from there.
 * An upload that was cut off goes on from the byte that the registry has, also in another process. The manifest comes
 * last: who pulls finds the image as a whole, or what was there before.
 *
 * The code is loaded when this is first called: who pulls does without.
 * @param reference - a tag of the image; without one, `latest`
 * @throws StrataError `NotFound`, "An image does not exist locally with the tag: R"
 * @throws StrataError `InvalidArgument`, "cannot push a digest reference"
 * @throws StrataError `Corrupt`, if a blob of the image is missing or damaged in the store; else as `RegistryClient`
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
