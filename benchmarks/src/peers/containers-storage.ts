import { Scratch } from "@strata/conformance/suite";
import { type CommandResult, run } from "./command.ts";

/**
 * A fresh storage of the containers/storage library, which Podman, Buildah and Skopeo share, with nothing of the
 * host's in it; it goes when this is disposed.
 */
export class ContainersStorage implements AsyncDisposable {
  readonly #root: Scratch;
  /** Apart from the root: Podman takes no path of more than 50 bytes for it. */
  readonly #runtime = new Scratch();
  readonly #options: readonly string[];

  /** @param parent - decides the file system that the storage is on */
  constructor(parent?: string) {
    this.#root = new Scratch(parent);
    this.#options = [
      `--root=${this.#root.path}`,
      `--runroot=${this.#runtime.path}/run`,
      "--storage-driver=overlay",
    ];
  }

  async podman(...args: readonly string[]): Promise<CommandResult> {
    const host = ["--cgroup-manager=cgroupfs", "--events-backend=none", `--tmpdir=${this.#runtime.path}/tmp`];
    return run("podman", [...this.#options, ...host, ...args]);
  }

  /** @returns what it printed, without the line's end */
  async buildah(...args: readonly string[]): Promise<string> {
    return (await run("buildah", [...this.#options, ...args])).stdout.trim();
  }

  /** What Skopeo calls `image` in this storage. */
  skopeoName(image: string): string {
    return `containers-storage:[overlay@${this.#root.path}+${this.#runtime.path}/run]${image}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime[Symbol.asyncDispose]();
    await this.#root[Symbol.asyncDispose]();
  }
}

/** Copy an image from where Skopeo's `source` says to where its `destination` says. */
export async function skopeoCopy(source: string, destination: string): Promise<CommandResult> {
  return run("skopeo", ["--insecure-policy", "copy", "--quiet", source, destination]);
}
