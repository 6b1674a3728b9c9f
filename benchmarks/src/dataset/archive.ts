import { join } from "node:path";
import { digestHex } from "@strata/core";
import { withStore } from "./scratch-store.ts";

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
export async function unpackArchive(
  archive: string,
  root: string,
  signal: AbortSignal | undefined,
): Promise<ArchiveContents> {
  return await withStore(root, async (store) => {
    const ignoreOwnership = !store.driver.capabilities.ownership.supported;
    const [image] = await store.load(archive, { ignoreOwnership, ...(signal && { signal }) });
    if (image === undefined) throw new TypeError(`${archive}: an archive without an image was loaded`);
    const { manifest, configBytes } = await store.resolve(image.id);
    const layers = manifest.layers.map(({ digest }) => join(root, "blobs/sha256", digestHex(digest)));
    return { layers, config: configBytes };
  });
}
