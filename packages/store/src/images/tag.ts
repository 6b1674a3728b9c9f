import type { StoreContext } from "../content/context.ts";
import { type IndexEntry, referenceOf, updateIndex } from "../content/image-index.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { parseName, parseTarget } from "../reference.ts";
import { findImage } from "./find.ts";
import { giveReference } from "./references.ts";

/**
 * Give an image another reference. The image that had it before stays, without a name if it was its last.
 * @throws StrataError `NotFound`, "No such image: x"
 * @throws StrataError `InvalidArgument`, if `target` is not a reference, or has a digest
 */
export async function tagImage(
  context: Pick<StoreContext, "root" | "durable">,
  source: string,
  target: string,
): Promise<void> {
  const reference = parseTarget(target);
  await withStoreLock(context.root, async () => {
    await updateIndex(context, (entries) => {
      const [entry] = findImage(entries, source).entries;
      return giveReference(entries, reference.toString(), inRepository(entry, reference.name));
    });
  });
}

/** Another repository does not have the index that the image was pulled from. */
function inRepository(entry: IndexEntry, name: string): IndexEntry {
  const { "dev.strata.index.digest": _index, ...annotations } = entry.annotations;
  const source = referenceOf(entry);
  return source !== undefined && parseName(source).name === name ? entry : { ...entry, annotations };
}
