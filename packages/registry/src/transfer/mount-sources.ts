import { type Digest, isStrataError } from "@strata/core";
import { parseReference, type Reference, type Store } from "@strata/store";

/** Images that are looked into, the newest first. */
const mostImages = 100;
/** Each that turns out not to have the blob costs two requests. */
const mostSources = 3;

/**
 * Other repositories of the same registry that may have a blob: those by whose names the store has an image with it, the
 * newest first. That it was ever pushed there, or is there still, nobody knows.
 */
export class MountSources {
  readonly #store: Store;
  readonly #target: Reference;
  #blobs: Promise<ReadonlyMap<string, ReadonlySet<Digest>>> | undefined;

  constructor(store: Store, target: Reference) {
    this.#store = store;
    this.#target = target;
  }

  /** Cost: the first call reads the documents of the images that the store has from that registry. */
  async of(digest: Digest): Promise<string[]> {
    this.#blobs ??= this.#read();
    const having = [...(await this.#blobs)].filter(([, blobs]) => blobs.has(digest));
    return having.slice(0, mostSources).map(([repository]) => repository);
  }

  async #read(): Promise<ReadonlyMap<string, ReadonlySet<Digest>>> {
    const { registry, repository } = this.#target;
    const found = new Map<string, Set<Digest>>();
    const names = (await this.#store.images()).flatMap(({ repoDigests }) => repoDigests.map(parseReference));
    const others = names.filter((name) => name.registry === registry && name.repository !== repository);
    for (const name of others.slice(0, mostImages)) {
      const blobs = found.get(name.repository) ?? new Set();
      for (const digest of await this.#blobsOf(name)) blobs.add(digest);
      found.set(name.repository, blobs);
    }
    return found;
  }

  async #blobsOf(name: Reference): Promise<Digest[]> {
    try {
      const { manifest } = await this.#store.resolve(name.toString());
      return [manifest.config, ...manifest.layers].map(({ digest }) => digest);
    } catch (error) {
      // Damaged, or removed meanwhile: the image that is pushed can do without.
      if (isStrataError(error)) return [];
      throw error;
    }
  }
}
