import type { StoreContext } from "../content/context.ts";
import { readIndex } from "../content/image-index.ts";
import { type ImageRecord, readImage } from "../content/image-record.ts";
import { findImage } from "./find.ts";

/**
 * All that is known of an image: by name, `name:tag`, `name@digest`, ID, or an unambiguous prefix of its ID.
 * @throws StrataError `NotFound`, "No such image: x"
 * @throws StrataError `InvalidArgument`, if it is no reference, or a prefix of several IDs
 * @throws StrataError `Corrupt`, if the image's manifest or config is gone or damaged
 */
export async function resolveImage(
  { root }: Pick<StoreContext, "root">,
  reference: string,
): Promise<ImageRecord> {
  return await readImage(root, findImage(await readIndex(root), reference).entries);
}
