import type { Digest } from "@strata/core";
import {
  type HostedEntry,
  type IndexEntry,
  referenceOf,
  type StoreIndex,
  withReference,
} from "../content/image-index.ts";
import { giveReference, imageIdOf } from "../images/references.ts";
import { parseName } from "../reference.ts";

/** A manifest of a repository, whether it is an image of the store or is only kept for others. */
export type RepositoryEntry = IndexEntry | HostedEntry;

/** The full name of the repository that an entry belongs to: `docker.io/library/debian`. An image may have none. */
export function repositoryOf(entry: RepositoryEntry): string | undefined {
  if ("dev.strata.repository" in entry.annotations) return entry.annotations["dev.strata.repository"];
  const reference = referenceOf(entry);
  return reference === undefined ? undefined : parseName(reference).name;
}

/** @param name - in full form */
export function entriesOf({ images, hosted }: StoreIndex, name: string): RepositoryEntry[] {
  return [...images, ...hosted].filter((entry) => repositoryOf(entry) === name);
}

/** What a repository has under a tag or a digest. */
export function findManifest(
  { images, hosted }: StoreIndex,
  name: string,
  which: { readonly tag: string } | { readonly digest: Digest },
): RepositoryEntry | undefined {
  const all: RepositoryEntry[] = [...images, ...hosted];
  return "tag" in which
    ? all.find((entry) => referenceOf(entry) === `${name}:${which.tag}`)
    : all.find((entry) => entry.digest === which.digest && repositoryOf(entry) === name);
}

/** The index with an image put into a repository, under a tag or by its digest alone. */
export function withImage(
  before: StoreIndex,
  name: string,
  tag: string | undefined,
  image: IndexEntry,
): StoreIndex {
  const byDigest = `${name}@${image.digest}`;
  if (tag === undefined && before.images.some((entry) => isSame(entry, name, image.digest))) return before;
  const index = tag === undefined ? before : withoutTag(before, name, tag);
  const known = index.images.find((entry) => entry.digest === image.digest);
  const twin = index.images.find((entry) => imageIdOf(entry) === imageIdOf(image));
  const sizes = twin?.annotations["dev.strata.layer.sizes"];
  const entry = known ?? {
    ...image,
    annotations: { ...image.annotations, ...(sizes !== undefined && { "dev.strata.layer.sizes": sizes }) },
  };
  // A tag says more than the digest, which comes back when the tag goes.
  const others = index.images.filter((other) => tag === undefined || referenceOf(other) !== byDigest);
  return {
    images: giveReference(others, tag === undefined ? byDigest : `${name}:${tag}`, entry),
    hosted: index.hosted.filter(
      (other) => referenceOf(other) !== undefined || !isSame(other, name, image.digest),
    ),
  };
}

/** The index with something else put into a repository, under a tag or by its digest alone. */
export function withHosted(
  before: StoreIndex,
  name: string,
  tag: string | undefined,
  { mediaType, digest, size }: Pick<HostedEntry, "mediaType" | "digest" | "size">,
): StoreIndex {
  if (tag === undefined && findManifest(before, name, { digest })) return before;
  const index = tag === undefined ? before : withoutTag(before, name, tag);
  const entry: HostedEntry = {
    mediaType,
    digest,
    size,
    annotations: { "dev.strata.repository": name },
  };
  return {
    images: index.images,
    hosted: [...index.hosted, withReference(entry, tag === undefined ? undefined : `${name}:${tag}`)],
  };
}

/** The index without a tag. Its manifest stays in the repository, by its digest. */
export function withoutTag({ images, hosted }: StoreIndex, name: string, tag: string): StoreIndex {
  const reference = `${name}:${tag}`;
  return {
    images: images.flatMap((entry) => {
      if (referenceOf(entry) !== reference) return [entry];
      const isKept = images.some((other) => other !== entry && isSame(other, name, entry.digest));
      return isKept ? [] : [withReference(entry, `${name}@${entry.digest}`)];
    }),
    hosted: hosted.map((entry) =>
      referenceOf(entry) === reference ? withReference(entry, undefined) : entry,
    ),
  };
}

/**
 * The index without a manifest of a repository, and without all tags that it has there.
 * @param isNeeded - whether an image must stay, if without a name, since something was made from it
 */
export function withoutManifest(
  { images, hosted }: StoreIndex,
  name: string,
  digest: Digest,
  isNeeded: (id: Digest) => boolean,
): StoreIndex {
  const rest = images.filter((entry) => !isSame(entry, name, digest));
  const gone = new Map(
    images.filter((entry) => isSame(entry, name, digest)).map((entry) => [imageIdOf(entry), entry]),
  );
  const nameless = [...gone.values()]
    .filter((entry) => isNeeded(imageIdOf(entry)) && rest.every((one) => imageIdOf(one) !== imageIdOf(entry)))
    .map((entry) => withReference(entry, undefined));
  return {
    images: [...rest, ...nameless],
    hosted: hosted.filter((entry) => !isSame(entry, name, digest)),
  };
}

function isSame(entry: RepositoryEntry, name: string, digest: Digest): boolean {
  return entry.digest === digest && repositoryOf(entry) === name;
}
