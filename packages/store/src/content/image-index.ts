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
  /** The sum of the sizes of the regular files, a number for each layer, bottom first, separated by commas. */
  readonly "dev.strata.layer.sizes": string;
  /** The ID of the image that this one was committed on top of. */
  readonly "dev.strata.parent.id"?: Digest;
}

/** The reference of an entry, in full form, if it has one. */
export function referenceOf(entry: IndexEntry): string | undefined {
  return entry.annotations["org.opencontainers.image.ref.name"];
}

/** How a descriptor is given a name: one that OCI tools read, one that containerd and docker do. */
export function nameAnnotations(
  reference: string,
): Pick<IndexAnnotations, "org.opencontainers.image.ref.name" | "io.containerd.image.name"> {
  return { "org.opencontainers.image.ref.name": reference, "io.containerd.image.name": reference };
}

/** The same entry under another reference, or under none. */
export function withReference(entry: IndexEntry, reference: string | undefined): IndexEntry {
  const {
    "org.opencontainers.image.ref.name": _name,
    "io.containerd.image.name": _containerdName,
    ...annotations
  } = entry.annotations;
  const name = reference === undefined ? {} : nameAnnotations(reference);
  return { ...entry, annotations: { ...name, ...annotations } };
}

/** Sizes of the layers of an entry in bytes, bottom first. */
export function layerSizesOf(entry: IndexEntry): number[] {
  const sizes = entry.annotations["dev.strata.layer.sizes"];
  return sizes === "" ? [] : sizes.split(",").map(Number);
}

/**
 * The entries of the store. No lock is needed: the file is always replaced as a whole. Plain JSON with no more than
 * a light check, since this is the path of every command; what is in it was checked when it was written.
 * @throws SyntaxError, or the system error, if the file is not what a store wrote
 */
export async function readIndex(root: string): Promise<IndexEntry[]> {
  return (await readDescriptors(root)).filter(isOurs);
}

/**
 * Change the entries: the commit point of everything that happens to images. Call it with the store's lock held.
 * Entries that another program added know nothing of unpacked layers; they are left as they are.
 */
export async function updateIndex(
  { root, durable }: Pick<StoreContext, "root" | "durable">,
  change: (entries: IndexEntry[]) => readonly IndexEntry[],
): Promise<void> {
  const all = await readDescriptors(root);
  const foreign = all.filter((entry) => !isOurs(entry));
  await writeFileAtomic(indexFile(root), indexBytes([...foreign, ...change(all.filter(isOurs))]), {
    durable,
  });
  failpoint("index.replaced");
}

/** What other programs have put into the index beside the store's own images: the digests of manifests or indexes. */
export async function readForeign(root: string): Promise<Digest[]> {
  return (await readDescriptors(root)).filter((entry) => !isOurs(entry)).map((entry) => entry.digest);
}

async function readDescriptors(root: string): Promise<IndexEntry[]> {
  const { manifests }: { manifests: IndexEntry[] } = JSON.parse(await readFile(indexFile(root), "utf8"));
  return manifests;
}

function isOurs(entry: IndexEntry): boolean {
  return entry.annotations?.["dev.strata.image.id"] !== undefined;
}

/** `index.json` as bytes. */
export function indexBytes(manifests: readonly object[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests,
  });
}
