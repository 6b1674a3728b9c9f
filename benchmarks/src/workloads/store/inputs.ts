import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ImageLayout, type ImageSpec, imageLayout } from "../../dataset/image.ts";
import { type DatasetContext, once } from "../../dataset/layers.ts";
import { withStore } from "../../dataset/scratch-store.ts";
import type { ImageForm, ImageSource } from "../../peers/image-peer.ts";

/** An image, in both of the forms that tools read. */
export interface StoredImage extends ImageLayout {
  readonly archive: string;
}

/** An image of made data, or of the archive that was asked for. Made once a run. */
export async function storedImage(context: DatasetContext, spec: ImageSpec): Promise<StoredImage> {
  const { signal } = context;
  const image = await imageLayout(context, spec);
  const archive = `${image.layout}.tar`;
  await once(archive, async (partial, scratch) => {
    await withStore(scratch.join("store"), async (store) => {
      const ignoreOwnership = !store.driver.capabilities.ownership.supported;
      await store.load(image.layout, { ignoreOwnership, ...(signal && { signal }) });
      await pipeline(store.save([image.reference]), createWriteStream(partial), { signal });
    });
  });
  return { ...image, archive };
}

export function sourceOf({ archive, layout, reference }: StoredImage, form: ImageForm): ImageSource {
  return { form, path: form === "archive" ? archive : layout, reference };
}

/** One archive with as many images, each a layer of one small file. Made once a run. */
export async function manyImages({ datasets, signal }: DatasetContext, count: number): Promise<ImageSource> {
  const names = Array.from({ length: count }, (_, index) => `strata.example/image-${index}:latest`);
  const path = join(datasets, `${count}-images.tar`);
  await once(path, async (partial, scratch) => {
    const tree = scratch.join("tree");
    await mkdir(tree);
    await withStore(scratch.join("store"), async (store) => {
      for (const reference of names) {
        await writeFile(join(tree, "file"), `${reference}\n`);
        await store.import(tree, { reference, ...(signal && { signal }) });
      }
      await pipeline(store.save(names), createWriteStream(partial), { signal });
    });
  });
  return { form: "archive", path, reference: names[0] ?? "" };
}
