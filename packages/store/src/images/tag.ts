import type { StoreContext } from "../content/context.ts";
import { updateIndex } from "../content/image-index.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { parseTarget } from "../reference.ts";
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
  const reference = parseTarget(target).toString();
  await withStoreLock(context.root, async () => {
    await updateIndex(context, (entries) => {
      const [entry] = findImage(entries, source).entries;
      return giveReference(entries, reference, entry);
    });
  });
}
