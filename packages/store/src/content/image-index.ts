import { readFile } from "node:fs/promises";
import type { Digest } from "@strata/core";
import { writeFileAtomic } from "@strata/core";
import { failpoint } from "../failpoint.ts";
import type { StoreContext } from "./context.ts";
import { indexFile } from "./paths.ts";

/**
 * One descriptor of `index.json`. An image has one for each of its references, and a single one without a reference
 * when it has none: so `skopeo`, `umoci` and `crane` see the same names as `strata images`.
 */
export interface IndexEntry {
  readonly mediaType: string;
  /** The digest of the image's manifest. */
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations: IndexAnnotations;
}

/** What a store notes beside a descriptor. The values are data, never trusted as paths. */
export interface IndexAnnotations {
  /** The full reference: `docker.io/library/debian:latest`, or with a digest in place of the tag. */
  readonly "org.opencontainers.image.ref.name"?: string;
  /** The same, as containerd and docker 25 read it. */
  readonly "io.containerd.image.name"?: string;
  /** The image ID: the digest of its config. */
  readonly "dev.strata.image.id": Digest;
  /**
   * The sum of the sizes of the regular files, a number for each layer, bottom first, separated by commas. An image
   * that was pushed to this store and not yet unpacked has none.
   */
  readonly "dev.strata.layer.sizes"?: string;
  /** The ID of the image that this one was committed on top of. */
  readonly "dev.strata.parent.id"?: Digest;
  /** The digest of the index that the manifest was chosen from, where it was pulled. */
  readonly "dev.strata.index.digest"?: Digest;
}

/**
 * One descriptor of `index.json` for what was pushed to the store and is no image of it: an index, an artifact, an image
 * that is there for its index only. There is one for each tag, and one without a reference when it has none.
 */
export interface HostedEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations: {
    readonly "org.opencontainers.image.ref.name"?: string;
    readonly "io.containerd.image.name"?: string;
    /** The full name of the repository: `docker.io/library/debian`. */
    readonly "dev.strata.repository": string;
  };
}

/** What a store keeps in its index. */
export interface StoreIndex {
  readonly images: readonly IndexEntry[];
  readonly hosted: readonly HostedEntry[];
}

/** The reference of an entry, in full form, if it has one. */
export function referenceOf(entry: IndexEntry | HostedEntry): string | undefined {
  return entry.annotations["org.opencontainers.image.ref.name"];
}

/** How a descriptor is given a name: one that OCI tools read, one that containerd and docker do. */
export function nameAnnotations(
  reference: string,
): Pick<IndexAnnotations, "org.opencontainers.image.ref.name" | "io.containerd.image.name"> {
  return { "org.opencontainers.image.ref.name": reference, "io.containerd.image.name": reference };
}

/** The same entry under another reference, or under none. */
export function withReference<E extends IndexEntry | HostedEntry>(
  entry: E,
  reference: string | undefined,
): E {
  const {
    "org.opencontainers.image.ref.name": _name,
    "io.containerd.image.name": _containerdName,
    ...annotations
  } = entry.annotations;
  const name = reference === undefined ? {} : nameAnnotations(reference);
  return { ...entry, annotations: { ...name, ...annotations } };
}

/** Sizes of the layers of an entry in bytes, bottom first; undefined, if they are not known yet. */
export function layerSizesOf(entry: IndexEntry): number[] | undefined {
  const sizes = entry.annotations["dev.strata.layer.sizes"];
  return sizes === "" ? [] : sizes?.split(",").map(Number);
}

/**
 * The images of the store. No lock is needed: the file is always replaced as a whole. Plain JSON with no more than
 * a light check, since this is the path of every command; what is in it was checked when it was written.
 * @throws SyntaxError, or the system error, if the file is not what a store wrote
 */
export async function readIndex(root: string): Promise<IndexEntry[]> {
  return (await readDescriptors(root)).filter(isImage);
}

/** The same, with what else was pushed to the store. */
export async function readStoreIndex(root: string): Promise<StoreIndex> {
  const all = await readDescriptors(root);
  return { images: all.filter(isImage), hosted: all.filter(isHosted) };
}

/**
 * Change the images: the commit point of everything that happens to them. Call it with the store's lock held.
 * A tag that an image is given is taken from anything else that was pushed under it. An image that a pushed index names
 * stays in its repository by its digest, for those who pull the index.
 */
export async function updateIndex(
  context: Pick<StoreContext, "root" | "durable">,
  change: (images: IndexEntry[]) => readonly IndexEntry[],
): Promise<void> {
  await updateStoreIndex(context, async (before) => {
    const images = change([...before.images]);
    const taken = new Set(images.map(referenceOf));
    const after = { images, hosted: before.hosted.map((entry) => withoutName(entry, taken)) };
    if (after.hosted.length === 0) return after;
    const { keptForIndexes } = await import("../repositories/kept-for-indexes.ts");
    return await keptForIndexes(context.root, before, after);
  });
}

/**
 * Change all that the store keeps in its index. Call it with the store's lock held.
 * Entries that another program added know nothing of the store's; they are left as they are.
 */
export async function updateStoreIndex(
  { root, durable }: Pick<StoreContext, "root" | "durable">,
  change: (index: StoreIndex) => StoreIndex | Promise<StoreIndex>,
): Promise<void> {
  const all = await readDescriptors(root);
  const foreign = all.filter((entry) => !isImage(entry) && !isHosted(entry));
  const { images, hosted } = await change({
    images: all.filter(isImage),
    hosted: all.filter(isHosted),
  });
  const bytes = indexBytes([...foreign, ...withoutRepetition(hosted), ...images]);
  await writeFileAtomic(indexFile(root), bytes, { durable });
  failpoint("index.replaced");
}

/** The digests of manifests or indexes that are no images of the store: hosted ones, and what other programs added. */
export async function readOthers(root: string): Promise<Digest[]> {
  return (await readDescriptors(root)).filter((entry) => !isImage(entry)).map((entry) => entry.digest);
}

function withoutName(entry: HostedEntry, taken: ReadonlySet<string | undefined>): HostedEntry {
  const reference = referenceOf(entry);
  return reference !== undefined && taken.has(reference) ? withReference(entry, undefined) : entry;
}

/** One without a reference says nothing beside another of the same manifest in the same repository. */
function withoutRepetition(hosted: readonly HostedEntry[]): HostedEntry[] {
  const key = (entry: HostedEntry) => `${entry.annotations["dev.strata.repository"]}@${entry.digest}`;
  const tagged = new Set(hosted.filter((entry) => referenceOf(entry) !== undefined).map(key));
  const nameless = new Map(
    hosted.filter((entry) => referenceOf(entry) === undefined).map((entry) => [key(entry), entry]),
  );
  return hosted.filter(
    (entry) =>
      referenceOf(entry) !== undefined || (!tagged.has(key(entry)) && nameless.get(key(entry)) === entry),
  );
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function readDescriptors(root: string): Promise<(Descriptor | IndexEntry | HostedEntry)[]> {
  const index: { manifests: Descriptor[] } = JSON.parse(await readFile(indexFile(root), "utf8"));
  return index.manifests;
}

function isImage(entry: Descriptor | IndexEntry | HostedEntry): entry is IndexEntry {
  return entry.annotations !== undefined && "dev.strata.image.id" in entry.annotations;
}

function isHosted(entry: Descriptor | IndexEntry | HostedEntry): entry is HostedEntry {
  return !isImage(entry) && entry.annotations !== undefined && "dev.strata.repository" in entry.annotations;
}

/** `index.json` as bytes. */
export function indexBytes(manifests: readonly object[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests,
  });
}
