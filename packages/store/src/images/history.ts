import type { Digest } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { readIndex } from "../content/image-index.ts";
import { type ImageRecord, readImage } from "../content/image-record.ts";
import { findImage } from "./find.ts";
import { fullHistory } from "./full-history.ts";
import { groupByImage, type ImageEntries, imageIdOf, tagsOf } from "./references.ts";
import { timeOf } from "./times.ts";

/** One step of an image's history. */
export interface HistoryEntry {
  /** The image that ends with this step, if this store has it; docker prints `<missing>` without. */
  readonly id?: Digest;
  /** RFC 3339. */
  readonly created: string;
  readonly createdBy: string;
  /** Bytes of the regular files of its layer. The sizes of a history add up to the image's. */
  readonly size: number;
  readonly comment: string;
  readonly emptyLayer: boolean;
  /** References of that image with a tag, in full form. */
  readonly references: readonly string[];
}

/**
 * The steps that made an image, the newest first. Only the newest is known to end with an image of this store, and
 * those below it as far as it was committed on top of images that are still here.
 *
 * An image with more layers than its config tells of gets a step without a description for each of the others.
 * @throws StrataError `NotFound`, "No such image: x"
 */
export async function imageHistory(
  { root }: Pick<StoreContext, "root">,
  reference: string,
): Promise<HistoryEntry[]> {
  const entries = await readIndex(root);
  const images = groupByImage(entries);
  const { entries: own } = findImage(entries, reference);
  const image = await readImage(root, own);

  const steps: HistoryEntry[] = [];
  let ending: ImageEntries | undefined = own;
  for (const step of stepsOf(image)) {
    const names = ending ? { id: imageIdOf(ending[0]), references: tagsOf(ending).map(String) } : undefined;
    steps.push({ references: [], ...step, ...names });
    const parent: Digest | undefined = ending?.[0].annotations["dev.strata.parent.id"];
    ending = parent && images.get(parent);
  }
  return steps;
}

/** Newest first. */
function stepsOf({ config, layerSizes }: ImageRecord): Omit<HistoryEntry, "id" | "references">[] {
  const sizes = layerSizes.values();
  return fullHistory(config)
    .map((item) => ({
      created: timeOf(item.created),
      createdBy: item.created_by ?? "",
      size: item.empty_layer ? 0 : (sizes.next().value ?? 0),
      comment: item.comment ?? "",
      emptyLayer: item.empty_layer ?? false,
    }))
    .reverse();
}
