import { mkdir } from "node:fs/promises";
import { Scratch } from "@strata/conformance/suite";
import { removeTree } from "@strata/core";
import { imageLayout } from "../../dataset/image.ts";
import { servedImage, servedName } from "../../dataset/served-image.ts";
import { run } from "../../peers/command.ts";
import { DockerRegistry } from "../../peers/docker-registry.ts";
import { Resources } from "../../resources.ts";
import type { TrialContext, Work } from "../../workload.ts";
import { imageSpec } from "../whole-image.ts";

/** What the image is made from, and where. */
type RegistryContext = Pick<TrialContext, "datasets" | "scale" | "seed" | "archive" | "signal">;

const manifestTypes =
  "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/** A registry for one subject alone, on the file system of the data sets. It has the image to begin with. */
export class TrialRegistry implements AsyncDisposable {
  readonly work: Work;
  readonly #registry: DockerRegistry;
  readonly #storage: string;
  readonly #resources: Resources;

  private constructor(work: Work, registry: DockerRegistry, storage: string, resources: Resources) {
    this.work = work;
    this.#registry = registry;
    this.#storage = storage;
    this.#resources = resources;
  }

  static async start(context: RegistryContext): Promise<TrialRegistry> {
    const { datasets, scale, signal } = context;
    const image = await imageLayout(context, imageSpec(scale, "gzip"));
    const served = await servedImage(context, image);
    const resources = new Resources();
    try {
      const storage = resources.use(new Scratch(datasets)).join("storage");
      // The blobs of all subjects' registries are the same files, so that all of them find them in the page cache.
      await run("cp", ["--archive", "--link", served, storage], { signal });
      const registry = resources.use(await DockerRegistry.start(storage, signal));
      const { bytes, files } = image;
      return new TrialRegistry({ bytes, files }, registry, storage, resources);
    } catch (error) {
      await resources[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What the image is called in it, in full. */
  get reference(): string {
    return `${this.#registry.host}/${servedName}`;
  }

  /** How many it has been sent so far. */
  requests(): Promise<number> {
    return this.#registry.requests();
  }

  /** Have nothing, of any repository. */
  async clear(): Promise<void> {
    await removeTree(this.#storage);
    await mkdir(this.#storage);
  }

  /** Of the manifest that it has of the image; undefined if it has none. */
  async digest(): Promise<string | undefined> {
    const [name = "", tag = ""] = servedName.split(":");
    const url = `http://${this.#registry.host}/v2/${name}/manifests/${tag}`;
    const answer = await fetch(url, { method: "HEAD", headers: { accept: manifestTypes } });
    return answer.ok ? (answer.headers.get("docker-content-digest") ?? undefined) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }
}
