import { basename, dirname } from "node:path";
import type { CommandResult } from "./command.ts";
import { ContainersStorage } from "./containers-storage.ts";
import type { ImagePeer, ImageSource } from "./image-peer.ts";
import type { RegistryPeer } from "./registry-peer.ts";

/** Podman, on a store of its own. */
export class Podman implements ImagePeer, RegistryPeer {
  readonly #storage: ContainersStorage;

  /** @param directory - decides the file system that the store is on */
  constructor(directory: string, signal?: AbortSignal) {
    this.#storage = new ContainersStorage(directory, signal);
  }

  /**
   * What it pulls from a layout is named by the path that it was given, capitals forbidden: so the last part of it has
   * to do.
   */
  load({ form, path, reference }: ImageSource): Promise<CommandResult> {
    return form === "archive"
      ? this.#storage.podman("load", "--quiet", "--input", path)
      : this.#storage.podmanIn(dirname(path), "pull", "--quiet", `oci:${basename(path)}:${reference}`);
  }

  save(reference: string, archive: string): Promise<CommandResult> {
    return this.#storage.podman("save", "--quiet", "--output", archive, reference);
  }

  images(): Promise<CommandResult> {
    return this.#storage.podman("images");
  }

  remove(reference: string): Promise<CommandResult> {
    return this.#storage.podman("rmi", reference);
  }

  pull(reference: string): Promise<CommandResult> {
    return this.#storage.podman("pull", "--quiet", "--tls-verify=false", reference);
  }

  push(reference: string): Promise<CommandResult> {
    return this.#storage.podman("push", "--quiet", "--tls-verify=false", reference);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#storage[Symbol.asyncDispose]();
  }
}
