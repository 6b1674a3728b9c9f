import { join } from "node:path";
import { digestHex, isStrataError, type StorageDriver } from "@strata/core";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";

/** What is in an image archive. */
export interface ArchiveContents {
  /** The files of the layers, compressed as in the archive; bottom first. */
  readonly layers: readonly string[];
  readonly config: Buffer;
}

/**
 * Take the first image of an archive, whichever tool wrote it, to pieces: by loading it into a store.
 * @param root - where the store is made; the layers' files lie in it
 * @throws StrataError, as `Store.load`
 */
export async function unpackArchive(archive: string, root: string): Promise<ArchiveContents> {
  await using driver = await anyDriver(join(root, "driver"));
  await using store = await Store.open({ root, driver, durability: "none" });
  const ignoreOwnership = !driver.capabilities.ownership.supported;
  const [image] = await store.load(archive, { ignoreOwnership });
  if (image === undefined) throw new TypeError(`${archive}: an archive without an image was loaded`);
  const { manifest, configBytes } = await store.resolve(image.id);
  const layers = manifest.layers.map(({ digest }) => join(root, "blobs/sha256", digestHex(digest)));
  return { layers, config: configBytes };
}

/** It has to take each layer once, no more. */
async function anyDriver(root: string): Promise<StorageDriver> {
  try {
    return await overlay2({ root, durability: "none" });
  } catch (error) {
    if (!isStrataError(error, "Unsupported")) throw error;
    return await vfs({ root, durability: "none" });
  }
}
