import { Scratch } from "@strata/conformance/suite";
import { type CommandResult, run } from "./command.ts";
import type { RegistryPeer } from "./registry-peer.ts";

/** Skopeo, with an OCI image layout of one image for a store: that keeps blobs as they come, and nothing is unpacked. */
export class SkopeoLayout implements RegistryPeer {
  readonly #scratch: Scratch;
  readonly #signal: AbortSignal | undefined;

  /** @param directory - decides the file system that the layout is on */
  constructor(directory: string, signal?: AbortSignal) {
    this.#scratch = new Scratch(directory);
    this.#signal = signal;
  }

  pull(reference: string): Promise<CommandResult> {
    return this.#copy("--src-tls-verify=false", `docker://${reference}`, this.#layout);
  }

  push(reference: string): Promise<CommandResult> {
    return this.#copy("--dest-tls-verify=false", this.#layout, `docker://${reference}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }

  get #layout(): string {
    return `oci:${this.#scratch.join("layout")}:image`;
  }

  #copy(...args: readonly string[]): Promise<CommandResult> {
    return run("skopeo", ["--insecure-policy", "copy", "--quiet", ...args], { signal: this.#signal });
  }
}
