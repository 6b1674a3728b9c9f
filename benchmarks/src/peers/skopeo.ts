import type { CommandResult } from "./command.ts";
import { ContainersStorage } from "./containers-storage.ts";
import { type ImagePeer, type ImageSource, unable } from "./image-peer.ts";
import type { RegistryPeer } from "./registry-peer.ts";

const transports = { archive: "docker-archive", layout: "oci" } as const;

/** Skopeo, with a store of the containers/storage library of its own. */
export class Skopeo implements ImagePeer, RegistryPeer {
  readonly #storage: ContainersStorage;

  /** @param directory - decides the file system that the store is on */
  constructor(directory: string, signal?: AbortSignal) {
    this.#storage = new ContainersStorage(directory, signal);
  }

  load({ form, path, reference }: ImageSource): Promise<CommandResult> {
    const source = `${transports[form]}:${path}:${reference}`;
    return this.#copy(source, this.#storage.skopeoName(reference));
  }

  save(reference: string, archive: string): Promise<CommandResult> {
    const destination = `docker-archive:${archive}:${reference}`;
    return this.#copy(this.#storage.skopeoName(reference), destination);
  }

  images(): Promise<CommandResult> {
    return unable("skopeo", "list images");
  }

  remove(reference: string): Promise<CommandResult> {
    return this.#storage.skopeo("delete", this.#storage.skopeoName(reference));
  }

  pull(reference: string): Promise<CommandResult> {
    const source = `docker://${reference}`;
    return this.#copy("--src-tls-verify=false", source, this.#storage.skopeoName(reference));
  }

  push(reference: string): Promise<CommandResult> {
    const destination = `docker://${reference}`;
    return this.#copy("--dest-tls-verify=false", this.#storage.skopeoName(reference), destination);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#storage[Symbol.asyncDispose]();
  }

  #copy(...args: readonly string[]): Promise<CommandResult> {
    return this.#storage.skopeo("copy", "--quiet", ...args);
  }
}
