import type { StoreContext } from "./content/context.ts";
import type { ImageSummary, ImagesOptions } from "./images/list.ts";

/**
 * The images of a store that need not be open, the newest first. One whose config cannot be read is listed with what the
 * index knows.
 *
 * Cost: reads the index and a small file for each image. It is loaded when it is first called.
 */
export async function listImages(
  context: Pick<StoreContext, "root">,
  options: ImagesOptions = {},
): Promise<ImageSummary[]> {
  const { listImages } = await import("./images/list.ts");
  return await listImages(context, options);
}
