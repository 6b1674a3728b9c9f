import { z } from "zod";
import { imageLayout } from "../../dataset/image.ts";
import type { LayerArchive } from "../../dataset/layers.ts";
import type { TrialContext } from "../../workload.ts";

/** What tells the cases of this workload from each other. */
export const hashingParameters = z.object({
  source: z.enum(["memory", "blob", "diffId"]),
  threads: z.number(),
  /** Of the data; not known of an archive's. */
  bytes: z.number().optional(),
});

export type HashingParameters = z.infer<typeof hashingParameters>;

/** The layers to hash: compressed ones, or for blobs made data that look like that, which are made faster. */
export async function blobsToHash(
  context: TrialContext,
  { source, bytes = 0 }: HashingParameters,
): Promise<readonly LayerArchive[]> {
  const inflates = source === "diffId";
  const { layers } = await imageLayout(context, {
    layers: [{ shape: "large", files: 4, bytes, compressible: inflates }],
    compression: inflates || context.archive !== undefined ? "gzip" : "none",
  });
  return layers;
}
