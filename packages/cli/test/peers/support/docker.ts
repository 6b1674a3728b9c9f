import { mkdirSync } from "node:fs";
import { Docker as DockerPeer, run } from "@strata/benchmarks";
import { mountsBelow, Scratch } from "@strata/conformance/suite";

/** A Docker daemon of our own, with nothing of the host's in it and no network; it ends when this is disposed. */
export class Docker implements AsyncDisposable {
  readonly #scratch: Scratch;
  readonly #docker: DockerPeer;

  private constructor(scratch: Scratch, docker: DockerPeer) {
    this.#scratch = scratch;
    this.#docker = docker;
  }

  static async start(): Promise<Docker> {
    const scratch = new Scratch();
    return new Docker(scratch, await DockerPeer.start(scratch.path));
  }

  /** @returns what docker printed, without the line's end */
  async run(...args: readonly string[]): Promise<string> {
    return (await this.#docker.run(...args)).stdout.trimEnd();
  }

  async load(archive: string): Promise<string> {
    return this.run("load", "--quiet", "--input", archive);
  }

  async imageId(image: string): Promise<string> {
    return this.run("image", "inspect", "--format", "{{.Id}}", image);
  }

  /**
   * The path of an image's tree as Docker's overlay2 has it on disk. A container would show what Docker adds to each
   * one (/.dockerenv, /etc/hosts and more), so the image's own layers are mounted, as Docker mounts them.
   */
  async tree(image: string): Promise<string> {
    const inspected = await this.run("image", "inspect", "--format", "{{json .GraphDriver.Data}}", image);
    const { LowerDir, UpperDir }: { LowerDir?: string; UpperDir: string } = JSON.parse(inspected);
    if (LowerDir === undefined) return UpperDir;
    const path = this.#scratch.join("trees", image.replace(/\W/g, "-"));
    mkdirSync(path, { recursive: true });
    const options = `ro,index=off,redirect_dir=off,metacopy=off,lowerdir=${UpperDir}:${LowerDir}`;
    await run("mount", ["-t", "overlay", "overlay", "-o", options, path]);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Trees that are mounted keep what they are mounted from.
    for (const path of mountsBelow(this.#scratch.join("trees"))) await run("umount", [path.toString()]);
    await this.#docker[Symbol.asyncDispose]();
    await this.#scratch[Symbol.asyncDispose]();
  }
}
