import type { Readable } from "node:stream";
import { StrataError } from "@strata/core";
import type { Archive } from "./archive/archive.ts";
import { dockerImages } from "./archive/docker-archive.ts";
import { ociImages } from "./archive/oci-archive.ts";
import { openArchive } from "./archive/open-archive.ts";
import type { StoreContext } from "./content/context.ts";
import { configSchema, parseDocument } from "./documents.ts";
import { noneMatches } from "./images/choose-manifest.ts";
import { type ImageInput, type IngestedImage, ingestImages } from "./ingest/ingest-images.ts";
import type { IngestOptions } from "./ingest/layer-input.ts";
import { Staging } from "./ingest/staging.ts";
import { parsePlatform, platformRank } from "./platform.ts";

export interface LoadOptions extends IngestOptions {
  /** Which image of an index to take: `linux/arm/v7`. @defaultValue the host's */
  readonly platform?: string;
}

/** An image that was loaded. */
export type LoadedImage = IngestedImage;

/**
 * Bring in all images of an archive or of an OCI layout directory: what docker, podman, skopeo, buildah, umoci and
 * crane write, compressed or not, its members in any order.
 *
 * An uncompressed file is read where it is, each layer once. Everything else is written to the store's disk first.
 * @param source - the path of a file or directory, or the archive's bytes
 * @returns the images, in the archive's order; all of them are in the store, or, after an error, none
 * @throws StrataError, as `ingestImages`; `NotFound`, if there is none for the platform
 */
export async function load(
  context: StoreContext,
  source: string | Readable,
  options: LoadOptions = {},
): Promise<LoadedImage[]> {
  options.signal?.throwIfAborted();
  await using staging = await Staging.open(context, options.signal);
  const archive = await openArchive(source, staging, options);
  const images = await readImages(archive, staging, options);
  if (images.length === 0)
    throw new StrataError("InvalidArgument", `${archive.what}: there is no image in it`);
  return await ingestImages(context, staging, images, options);
}

/**
 * docker 25 and later write both documents: the index has the manifests, which keep their digests that way;
 * `manifest.json` may have more names.
 */
async function readImages(archive: Archive, staging: Staging, options: LoadOptions): Promise<ImageInput[]> {
  const hasIndex = (await archive.find("index.json")) !== undefined;
  const hasList = (await archive.find("manifest.json")) !== undefined;
  if (!hasIndex && !hasList) {
    const isOld = (await archive.find("repositories")) !== undefined;
    const why = isOld
      ? "it was saved by docker before 1.10; load it into docker 1.10 to 20.10 and save it again"
      : "neither manifest.json nor index.json is in it, so it is not an image archive";
    throw new StrataError("InvalidArgument", `${archive.what}: ${why}`);
  }
  const fromIndex = hasIndex ? await ociImages(archive, options.platform) : [];
  const fromList = hasList ? await dockerImages(archive, staging, options) : [];
  const images = fromIndex.map((image) => {
    const twins = fromList.filter((other) => other.configBytes.equals(image.configBytes));
    const references = new Set([image, ...twins].flatMap((each) => each.references));
    return { ...image, references: [...references] };
  });
  const others = fromList.filter(
    (image) => !fromIndex.some((other) => other.configBytes.equals(image.configBytes)),
  );
  return [...images, ...onlyPlatform(others, options.platform, images.length > 0)];
}

function onlyPlatform(
  images: readonly ImageInput[],
  platform: string | undefined,
  othersThere: boolean,
): readonly ImageInput[] {
  if (platform === undefined) return images;
  const wanted = parsePlatform(platform);
  const matching = images.filter(({ configBytes, what }) => {
    const config = parseDocument(configSchema, configBytes, `config of ${what}`);
    return platformRank(wanted, config) !== undefined;
  });
  if (matching.length > 0 || othersThere || images.length === 0) return matching;
  throw noneMatches(wanted);
}
