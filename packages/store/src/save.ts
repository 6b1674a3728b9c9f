import type { FileHandle } from "node:fs/promises";
import { type Digest, digestHex } from "@strata/core";
import { type ArchiveMember, writeArchive } from "./archive/write-archive.ts";
import { openBlob } from "./content/blobs.ts";
import type { StoreContext } from "./content/context.ts";
import { indexBytes, nameAnnotations, readIndex, referenceOf } from "./content/image-index.ts";
import { type ImageRecord, readImage } from "./content/image-record.ts";
import { layoutVersion } from "./content/open-layout.ts";
import type { Descriptor } from "./documents.ts";
import { failpoint } from "./failpoint.ts";
import { findImage } from "./images/find.ts";
import { parseName, parseReference } from "./reference.ts";

export interface SaveOptions {
  readonly signal?: AbortSignal;
}

interface SavedImage {
  readonly record: ImageRecord;
  /** The references to save it with, in full form. */
  readonly references: Set<string>;
}

/**
 * Images as one archive: an OCI image layout with docker's `manifest.json` beside it, as docker 25 and later write,
 * which docker, podman, skopeo and containerd read. The same images give the same bytes.
 *
 * A name without a tag stands for all its tags, an ID for the image without a name.
 * @throws StrataError `NotFound`, or `Corrupt` if a blob is missing, before the first byte; `Corrupt` later, if a blob's
 *   bytes turn out damaged
 */
export async function* save(
  { root }: Pick<StoreContext, "root">,
  names: readonly string[],
  { signal }: SaveOptions = {},
): AsyncGenerator<Buffer> {
  const images = await findImages(root, names);
  const blobs = blobsOf(images);
  const files: FileHandle[] = [];
  try {
    const members: ArchiveMember[] = [{ name: "blobs/" }, { name: "blobs/sha256/" }];
    for (const { digest, size } of blobs) {
      // Open all at once: then gc can remove none of them before its turn.
      const file = await openBlob(root, { digest, size });
      files.push(file);
      members.push({ name: blobName(digest), file, size, digest });
    }
    failpoint("save.blobs-opened");
    yield* writeArchive([...members, ...documents(images)], signal);
  } finally {
    for (const file of files) await file.close();
  }
}

async function findImages(root: string, names: readonly string[]): Promise<SavedImage[]> {
  const entries = await readIndex(root);
  const images = new Map<Digest, SavedImage>();
  const add = async (name: string, reference: string | undefined): Promise<void> => {
    const record = await readImage(root, findImage(entries, name).entries);
    const image = images.get(record.digest) ?? { record, references: new Set() };
    if (reference !== undefined) image.references.add(reference);
    images.set(record.digest, image);
  };
  for (const name of names) {
    const tags = entries.flatMap((entry) => referenceOf(entry) ?? []).filter((tag) => isTagOf(tag, name));
    for (const tag of tags) await add(tag, tag);
    if (tags.length === 0) await add(name, undefined);
  }
  return [...images.values()].sort((a, b) => (a.record.digest < b.record.digest ? -1 : 1));
}

/** Whether `tag` is what `name` asks for: this tag, or, without one, any tag of the repository. */
function isTagOf(tag: string, name: string): boolean {
  let wanted: ReturnType<typeof parseName>;
  try {
    wanted = parseName(name);
  } catch {
    // An ID is no name.
    return false;
  }
  if (wanted.digest !== undefined || tag.includes("@")) return false;
  return wanted.tag === undefined ? parseName(tag).name === wanted.name : tag === wanted.toString();
}

function blobsOf(images: readonly SavedImage[]): { digest: Digest; size: number }[] {
  const sizes = new Map<Digest, number>();
  for (const { record } of images) {
    sizes.set(record.digest, record.manifestBytes.length);
    for (const { digest, size } of [record.manifest.config, ...record.manifest.layers])
      sizes.set(digest, size);
  }
  return [...sizes]
    .map(([digest, size]) => ({ digest, size }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

function documents(images: readonly SavedImage[]): ArchiveMember[] {
  const repositories = repositoriesOf(images);
  return [
    { name: "index.json", bytes: indexBytes(images.flatMap(descriptorsOf)) },
    { name: "manifest.json", bytes: JSON.stringify(images.map(dockerItemOf)) },
    { name: "oci-layout", bytes: layoutVersion },
    ...(Object.keys(repositories).length > 0
      ? [{ name: "repositories", bytes: JSON.stringify(repositories) }]
      : []),
  ];
}

/** As in the store, one a reference, but without what only the store knows. */
function descriptorsOf({ record, references }: SavedImage): object[] {
  const { annotations: _, ...plain } = record.entries[0];
  if (references.size === 0) return [plain];
  return [...references].sort().map((reference) => ({ ...plain, annotations: nameAnnotations(reference) }));
}

function dockerItemOf({ record, references }: SavedImage): object {
  const { diffIds, id, manifest } = record;
  return {
    Config: blobName(id),
    RepoTags:
      references.size === 0 ? null : [...references].sort().map((name) => parseReference(name).familiar()),
    Layers: manifest.layers.map(({ digest }) => blobName(digest)),
    LayerSources: Object.fromEntries(
      diffIds.map((diffId, index) => [diffId, sourceOf(manifest.layers[index])]),
    ),
  };
}

function sourceOf(layer: Descriptor | undefined): object | undefined {
  return layer && { mediaType: layer.mediaType, size: layer.size, digest: layer.digest };
}

/** For docker before 1.10: the tags of each repository, with the uppermost layer. */
function repositoriesOf(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { record, references } of images) {
    const top = digestHex(record.manifest.layers.at(-1)?.digest ?? record.id);
    for (const reference of [...references].sort()) {
      const { familiarName, tag = "" } = parseReference(reference);
      repositories[familiarName] = { ...repositories[familiarName], [tag]: top };
    }
  }
  return repositories;
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}
