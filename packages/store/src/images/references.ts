import type { Digest } from "@strata/core";
import { type IndexEntry, referenceOf, withReference } from "../content/image-index.ts";
import { parseName, type Reference } from "../reference.ts";
import { shortId } from "../short-id.ts";

/** The entries of one image; see {@link IndexEntry}. */
export type ImageEntries = readonly [IndexEntry, ...IndexEntry[]];

/** The image that an entry stands for. */
export function imageIdOf(entry: IndexEntry): Digest {
  return entry.annotations["dev.strata.image.id"];
}

/** The entries by image, in the order of the index. */
export function groupByImage(entries: readonly IndexEntry[]): Map<Digest, ImageEntries> {
  const images = new Map<Digest, ImageEntries>();
  for (const entry of entries) {
    const others = images.get(imageIdOf(entry));
    images.set(imageIdOf(entry), others === undefined ? [entry] : [...others, entry]);
  }
  return images;
}

/** The references of some entries with a tag, sorted. */
export function tagsOf(entries: readonly IndexEntry[]): Reference[] {
  return namesOf(entries).filter((name) => name.tag !== undefined && name.digest === undefined);
}

/** What people call an image: a reference as docker prints it, or else its short ID. */
export function nameOf(own: ImageEntries): string {
  return tagsOf(own)[0]?.familiar() ?? shortId(imageIdOf(own[0]));
}

/** What a registry knows an entry by: the digest of the index that it was pulled from, else of its manifest. */
export function registryDigestOf({ digest, annotations }: IndexEntry): Digest {
  return annotations["dev.strata.index.digest"] ?? digest;
}

/** Whether a digest is that of an entry's manifest, or of the index that it was pulled from. */
export function hasDigest(entry: IndexEntry, digest: Digest): boolean {
  return digest === entry.digest || digest === registryDigestOf(entry);
}

/**
 * The entry that a reference means: the one that has it, else one of the repository with the digest. Several may have
 * that of an index, each for a platform. A tag before a digest is only for people.
 */
export function findNamed(entries: readonly IndexEntry[], wanted: Reference): IndexEntry | undefined {
  const { name, digest } = wanted;
  if (digest === undefined) return entries.find((entry) => referenceOf(entry) === wanted.toString());
  const isOfRepository = (entry: IndexEntry): boolean => {
    const reference = referenceOf(entry);
    return reference !== undefined && hasDigest(entry, digest) && parseName(reference).name === name;
  };
  return entries.find((entry) => referenceOf(entry) === `${name}@${digest}`) ?? entries.find(isOfRepository);
}

/** Each repository that names one of the entries, with what it has there: `debian@sha256:...`. Sorted. */
export function repoDigestsOf(entries: readonly IndexEntry[]): string[] {
  const digests = entries.flatMap((entry) => {
    const reference = referenceOf(entry);
    return reference === undefined ? [] : `${parseName(reference).name}@${registryDigestOf(entry)}`;
  });
  return [...new Set(digests)].sort();
}

function namesOf(entries: readonly IndexEntry[]): Reference[] {
  return entries
    .flatMap((entry) => referenceOf(entry) ?? [])
    .sort()
    .map(parseName);
}

/**
 * The entries after `reference` has been given to the image of `entry`. An image that it is taken from stays, without
 * a name if it was its last.
 */
export function giveReference(
  entries: readonly IndexEntry[],
  reference: string,
  entry: IndexEntry,
): IndexEntry[] {
  const id = imageIdOf(entry);
  // An entry without a reference stands for an image that has none; this one has, from now on.
  const others = takeReference(entries, reference).filter(
    (other) => imageIdOf(other) !== id || referenceOf(other) !== undefined,
  );
  return [...others, withReference(entry, reference)];
}

/** The entries after `reference` has been taken from whatever image it names. */
export function takeReference(entries: readonly IndexEntry[], reference: string): IndexEntry[] {
  return entries.flatMap((entry) => {
    if (referenceOf(entry) !== reference) return [entry];
    const isLast = entries.every((other) => other === entry || imageIdOf(other) !== imageIdOf(entry));
    return isLast ? [withReference(entry, undefined)] : [];
  });
}
