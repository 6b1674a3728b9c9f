import { type CommandResult, run } from "./command.ts";
import { Scratch } from "./scratch.ts";

/**
 * A fresh storage of the containers/storage library, which Podman, Buildah and Skopeo share, with nothing of the
 * host's in it; it goes when this is disposed.
 */
export class ContainersStorage implements AsyncDisposable {
  readonly #scratch: Scratch;
  readonly #options: readonly string[];

  /** @param parent - decides the file system that the storage is on */
  constructor(parent?: string) {
    this.#scratch = new Scratch(parent);
    const { path } = this.#scratch;
    this.#options = [`--root=${path}/root`, `--runroot=${path}/run`, "--storage-driver=overlay"];
  }

  async podman(...args: readonly string[]): Promise<CommandResult> {
    const host = ["--cgroup-manager=cgroupfs", "--events-backend=none", `--tmpdir=${this.#scratch.path}/tmp`];
    return run("podman", [...this.#options, ...host, ...args]);
  }

  /** @returns what it printed, without the line's end */
  async buildah(...args: readonly string[]): Promise<string> {
    return (await run("buildah", [...this.#options, ...args])).stdout.trim();
  }

  /** What Skopeo calls `image` in this storage. */
  skopeoName(image: string): string {
    const { path } = this.#scratch;
    return `containers-storage:[overlay@${path}/root+${path}/run]${image}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}

/** Copy an image from where Skopeo's `source` says to where its `destination` says. */
export async function skopeoCopy(source: string, destination: string): Promise<CommandResult> {
  return run("skopeo", ["--insecure-policy", "copy", "--quiet", source, destination]);
}
