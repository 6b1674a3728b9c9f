import type { Digest } from "@strata/core";
import { parseReference } from "../reference.ts";
import { readIndex, referenceOf } from "./image-index.ts";

/**
 * The digest of the manifest that a reference names in the store, or undefined if it names none. Who asks a registry for
 * the same reference and hears the same digest has nothing to pull. Cost: reads one small file, and no document.
 * @throws StrataError `InvalidArgument`, if it is no reference
 */
export async function currentManifest(root: string, reference: string): Promise<Digest | undefined> {
  const wanted = parseReference(reference).toString();
  return (await readIndex(root)).find((entry) => referenceOf(entry) === wanted)?.digest;
}
