import type { CommandResult } from "./command.ts";
import { ContainersStorage } from "./containers-storage.ts";
import { type ImagePeer, type ImageSource, unable } from "./image-peer.ts";

const transports = { archive: "docker-archive", layout: "oci" } as const;

/** Skopeo, with a store of the containers/storage library of its own. */
export class Skopeo implements ImagePeer {
  readonly #storage: ContainersStorage;

  /** @param directory - decides the file system that the store is on */
  constructor(directory: string, signal?: AbortSignal) {
    this.#storage = new ContainersStorage(directory, signal);
  }

  load({ form, path, reference }: ImageSource): Promise<CommandResult> {
    const source = `${transports[form]}:${path}:${reference}`;
    return this.#storage.skopeo("copy", "--quiet", source, this.#storage.skopeoName(reference));
  }

  save(reference: string, archive: string): Promise<CommandResult> {
    const destination = `docker-archive:${archive}:${reference}`;
    return this.#storage.skopeo("copy", "--quiet", this.#storage.skopeoName(reference), destination);
  }

  images(): Promise<CommandResult> {
    return unable("skopeo", "list images");
  }

  remove(reference: string): Promise<CommandResult> {
    return this.#storage.skopeo("delete", this.#storage.skopeoName(reference));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#storage[Symbol.asyncDispose]();
  }
}
