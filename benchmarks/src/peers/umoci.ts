import { Scratch } from "@strata/conformance/suite";
import { type CommandResult, run } from "./command.ts";
import { type ImagePeer, type ImageSource, unable } from "./image-peer.ts";

/** Umoci, which keeps no store: it unpacks all layers of an image into one tree. */
export class Umoci implements ImagePeer {
  readonly #scratch: Scratch;
  readonly #signal: AbortSignal | undefined;
  #bundles = 0;

  /** @param directory - decides the file system that trees are on */
  constructor(directory: string, signal?: AbortSignal) {
    this.#scratch = new Scratch(directory);
    this.#signal = signal;
  }

  load({ path, reference }: ImageSource): Promise<CommandResult> {
    this.#bundles += 1;
    const bundle = this.#scratch.join(`bundle-${this.#bundles}`);
    const args = ["unpack", "--image", `${path}:${reference}`, bundle];
    return run("umoci", args, { signal: this.#signal });
  }

  save(): Promise<CommandResult> {
    return unable("umoci", "save an image");
  }

  images(): Promise<CommandResult> {
    return unable("umoci", "list images");
  }

  remove(): Promise<CommandResult> {
    return unable("umoci", "remove an image");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}
