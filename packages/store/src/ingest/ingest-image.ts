import type { Digest } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import type { ImageRecord } from "../content/image-record.ts";
import type { ImageConfig } from "../documents.ts";
import { type IngestedImage, ingestImages } from "./ingest-images.ts";
import type { IngestOptions, LayerInput } from "./layer-input.ts";
import { stageLayer } from "./stage-layer.ts";
import { Staging } from "./staging.ts";

/** A layer of the store, or one that is being made: its tar, compressed or not. */
export type NewLayer = StoredLayer | { readonly tar: AsyncIterable<Uint8Array> };

export interface StoredLayer {
  readonly blob: Digest;
  readonly size: number;
  readonly diffId: Digest;
}

export interface NewImage {
  /** Bottom first. */
  readonly layers: readonly NewLayer[];
  /** Makes the config, once the DiffIDs of all layers are known. */
  config(diffIds: Digest[]): ImageConfig;
  /** In full form. @defaultValue the image gets no name */
  readonly reference?: string;
  /** The ID of the image that this one is made on top of. */
  readonly parentId?: Digest;
}

/** The layers of an image of the store, to put others on top of. */
export function layersOf({ manifest, diffIds }: ImageRecord): StoredLayer[] {
  return manifest.layers.flatMap(({ digest: blob, size }, index) => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ blob, size, diffId }];
  });
}

/**
 * Make an image here, for import and commit. Cost: the bytes of the new layers are written twice, as blobs and
 * unpacked.
 * @param what - names the image in errors
 * @throws StrataError, as {@link ingestImages}
 */
export async function ingestImage(
  context: StoreContext,
  what: string,
  { layers, config, reference, parentId }: NewImage,
  options: IngestOptions = {},
): Promise<IngestedImage> {
  await using staging = await Staging.open(context, options.signal);
  const staged: { input: LayerInput; diffId: Digest }[] = [];
  for (const layer of layers) {
    staged.push(
      "tar" in layer
        ? await stageLayer(staging, layer.tar, `layer of ${what}`, options)
        : {
            input: { what: `layer ${layer.diffId} of ${what}`, blob: layer.blob, size: layer.size },
            diffId: layer.diffId,
          },
    );
  }
  const image = {
    what,
    configBytes: Buffer.from(JSON.stringify(config(staged.map(({ diffId }) => diffId)))),
    layers: staged.map(({ input }) => input),
    references: reference === undefined ? [] : [reference],
    ...(parentId !== undefined && { parentId }),
  };
  const [ingested] = await ingestImages(context, staging, [image], options);
  if (ingested === undefined) throw new TypeError("one image goes in, one comes out");
  return ingested;
}
