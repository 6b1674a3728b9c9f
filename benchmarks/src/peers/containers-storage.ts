import { mkdirSync } from "node:fs";
import { Scratch } from "@strata/conformance/suite";
import { type CommandOptions, type CommandResult, run } from "./command.ts";

/**
 * A fresh storage of the containers/storage library, which Podman, Buildah and Skopeo share, with nothing of the
 * host's in it; it goes when this is disposed.
 */
export class ContainersStorage implements AsyncDisposable {
  readonly #scratch: Scratch;
  /** Apart from the rest: Podman takes no path of more than 50 bytes for it. */
  readonly #runtime = new Scratch();
  readonly #root: string;
  readonly #storageArguments: readonly string[];
  readonly #options: CommandOptions;

  /** @param parent - decides the file system that the storage is on */
  constructor(parent?: string, signal?: AbortSignal) {
    this.#scratch = new Scratch(parent);
    this.#root = this.#scratch.join("root");
    const temporary = this.#scratch.join("temporary");
    mkdirSync(temporary);
    this.#storageArguments = [
      `--root=${this.#root}`,
      `--runroot=${this.#runtime.path}/run`,
      "--storage-driver=overlay",
    ];
    // Where layers lie that are being copied: /var/tmp would be on another file system perhaps.
    this.#options = { env: { TMPDIR: temporary }, signal };
  }

  async podman(...args: readonly string[]): Promise<CommandResult> {
    return this.podmanIn(".", ...args);
  }

  /** @param cwd - the directory that it is run in */
  async podmanIn(cwd: string, ...args: readonly string[]): Promise<CommandResult> {
    const host = ["--cgroup-manager=cgroupfs", "--events-backend=none", `--tmpdir=${this.#runtime.path}/tmp`];
    return run("podman", [...this.#storageArguments, ...host, ...args], { ...this.#options, cwd });
  }

  /** @returns what it printed, without the line's end */
  async buildah(...args: readonly string[]): Promise<string> {
    return (await run("buildah", [...this.#storageArguments, ...args], this.#options)).stdout.trim();
  }

  async skopeo(...args: readonly string[]): Promise<CommandResult> {
    return run("skopeo", ["--insecure-policy", ...args], this.#options);
  }

  /** What Skopeo calls `image` in this storage. */
  skopeoName(image: string): string {
    return `containers-storage:[overlay@${this.#root}+${this.#runtime.path}/run]${image}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime[Symbol.asyncDispose]();
    await this.#scratch[Symbol.asyncDispose]();
  }
}

/** Copy an image from where Skopeo's `source` says to where its `destination` says. */
export async function skopeoCopy(source: string, destination: string): Promise<CommandResult> {
  return run("skopeo", ["--insecure-policy", "copy", "--quiet", source, destination]);
}
