import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Store } from "@strata/store";
import { type ImageLayout, type ImageSpec, imageLayout } from "../../dataset/image.ts";
import { once } from "../../dataset/layers.ts";
import type { ImageForm, ImageSource } from "../../peers/image-peer.ts";
import { chooseDriver } from "../../quickstart/choose-driver.ts";
import type { TrialContext } from "../../workload.ts";

type DatasetContext = Pick<TrialContext, "datasets" | "seed" | "archive">;

/** An image, in both of the forms that tools read. */
export interface StoredImage extends ImageLayout {
  readonly archive: string;
}

/** An image of made data, or of the archive that was asked for. Made once a run. */
export async function storedImage(context: DatasetContext, spec: ImageSpec): Promise<StoredImage> {
  const image = await imageLayout(context, spec);
  const archive = `${image.layout}.tar`;
  await once(archive, async (partial, scratch) => {
    await withStore(scratch.join("store"), async (store) => {
      await store.load(image.layout, { ignoreOwnership: !store.driver.capabilities.ownership.supported });
      await pipeline(store.save([image.reference]), createWriteStream(partial));
    });
  });
  return { ...image, archive };
}

export function sourceOf({ archive, layout, reference }: StoredImage, form: ImageForm): ImageSource {
  return { form, path: form === "archive" ? archive : layout, reference };
}

/** One archive with as many images, each a layer of one small file. Made once a run. */
export async function manyImages({ datasets }: DatasetContext, count: number): Promise<ImageSource> {
  const names = Array.from({ length: count }, (_, index) => `strata.example/image-${index}:latest`);
  const path = join(datasets, `${count}-images.tar`);
  await once(path, async (partial, scratch) => {
    const tree = scratch.join("tree");
    await mkdir(tree);
    await withStore(scratch.join("store"), async (store) => {
      for (const reference of names) {
        await writeFile(join(tree, "file"), `${reference}\n`);
        await store.import(tree, { reference });
      }
      await pipeline(store.save(names), createWriteStream(partial));
    });
  });
  return { form: "archive", path, reference: names[0] ?? "" };
}

async function withStore(root: string, use: (store: Store) => Promise<void>): Promise<void> {
  const { driver } = await chooseDriver({ root: join(root, "driver"), durability: "none" });
  await using _closed = driver;
  await using store = await Store.open({ root, driver, durability: "none" });
  await use(store);
}
