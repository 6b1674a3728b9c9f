import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../command.ts";

/**
 * Builds an image with Buildah, layer by layer, in a storage of its own that goes when this is disposed.
 * Each layer is filled through the container's mounted root: nothing runs in a container.
 */
export class ImageBuilder implements AsyncDisposable {
  readonly #scratch: string;
  readonly #storage: readonly string[];
  #top = "scratch";

  /** @param directory - where the storage is made: on the file system that should hold it */
  constructor(directory: string) {
    this.#scratch = mkdtempSync(join(directory, "build-"));
    this.#storage = [
      ...["--root", join(this.#scratch, "root"), "--runroot", join(this.#scratch, "run")],
      ...["--storage-driver", "overlay"],
    ];
  }

  /** Add a layer: what `fill` does to the tree at the path it is given. */
  async layer(name: string, fill: (root: string) => void | Promise<void>): Promise<void> {
    const container = await this.#buildah("from", "--pull-never", this.#top);
    await fill(await this.#buildah("mount", container));
    await this.#buildah("config", "--cmd", "/bin/bash", "--created-by", name, container);
    this.#top = await this.#buildah("commit", "--quiet", "--rm", container, `localhost/${name}`);
  }

  /** Copy the image, as it is now, to where skopeo's `destination` says. */
  async copyTo(destination: string): Promise<void> {
    const [, root, , runroot] = this.#storage;
    const source = `containers-storage:[overlay@${root}+${runroot}]${this.#top}`;
    await run("skopeo", ["--insecure-policy", "copy", source, destination]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!existsSync(this.#scratch)) return;
    await this.#buildah("umount", "--all");
    await this.#buildah("rm", "--all");
    // What Buildah mounts for itself (its overlay home) goes with the last container but for one bind mount.
    await run("sh", ["-c", 'umount "$1" 2>/dev/null || true', "sh", join(this.#scratch, "root", "overlay")]);
    await rm(this.#scratch, { recursive: true, force: true });
  }

  async #buildah(command: string, ...args: readonly string[]): Promise<string> {
    return (await run("buildah", [...this.#storage, command, ...args])).stdout.trim();
  }
}
