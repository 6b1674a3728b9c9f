import { ContainersStorage, skopeoCopy } from "./containers-storage.ts";

/**
 * Builds an image with Buildah, layer by layer, in a storage of its own that goes when this is disposed.
 * Each layer is filled through the container's mounted root: nothing runs in a container.
 */
export class ImageBuilder implements AsyncDisposable {
  readonly storage: ContainersStorage;
  #top = "scratch";

  /** @param parent - decides the file system that the storage is on */
  constructor(parent?: string) {
    this.storage = new ContainersStorage(parent);
  }

  /**
   * Add a layer: what `fill` does to the tree at the path it is given.
   * @returns the ID of the image that ends with it
   */
  async layer(name: string, fill: (root: string) => unknown): Promise<string> {
    const { storage } = this;
    const container = await storage.buildah("from", "--pull-never", this.#top);
    await fill(await storage.buildah("mount", container));
    await storage.buildah("config", "--cmd", "/bin/bash", "--created-by", name, container);
    this.#top = await storage.buildah("commit", "--quiet", "--rm", container, `localhost/${name}`);
    return this.#top;
  }

  /** The path of the image's tree as it is now; mounted until this is disposed. */
  async tree(): Promise<string> {
    const container = await this.storage.buildah("from", "--pull-never", this.#top);
    return this.storage.buildah("mount", container);
  }

  /** Copy the image, as it is now, to where Skopeo's `destination` says. */
  async copyTo(destination: string): Promise<void> {
    await skopeoCopy(this.storage.skopeoName(this.#top), destination);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.storage[Symbol.asyncDispose]();
  }
}
