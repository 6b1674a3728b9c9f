import { resolve } from "node:path";
import type { Readable } from "node:stream";
import {
  type CleanupReport,
  type Digest,
  type Durability,
  type Problem,
  type StorageDriver,
  StrataError,
} from "@strata/core";
import { type Change, LayerWorkers } from "@strata/layer";
import type { StoreContext } from "./content/context.ts";
import type { ImageRecord } from "./content/image-record.ts";
import { openLayout } from "./content/open-layout.ts";
import type { ImportOptions } from "./import.ts";
import type { LoadedImage, LoadOptions } from "./load.ts";
import type { SaveOptions } from "./save.ts";
import type {
  CheckOptions,
  CommitOptions,
  CommitResult,
  ContainerRecord,
  ContainerSummary,
  CreateContainerOptions,
  DiskUsage,
  HistoryEntry,
  ImageSummary,
  ImagesOptions,
  RemovalEvent,
  RemoveImagesOptions,
} from "./types.ts";

export interface StoreOptions {
  /** The directory for the store's state; made, with mode 0700, if it is not there. */
  readonly root: string;
  /** Where layers are unpacked. Its own root may lie in the store's: `<root>/drivers/<name>`. */
  readonly driver: StorageDriver;
  /** Threads that unpack layers. @defaultValue the number of processors, at most 4 */
  readonly threads?: number;
  /** As the driver's. @defaultValue "commit" */
  readonly durability?: Durability;
}

/**
 * Images and containers under one root.
 *
 * The content is an OCI image layout as it stands; the layers of its images are unpacked as snapshots of a storage
 * driver, named by ChainID. Several processes may use one root at the same time.
 */
export class Store implements AsyncDisposable {
  readonly root: string;
  readonly driver: StorageDriver;
  readonly #context: StoreContext;
  #workers: LayerWorkers | undefined;

  private constructor(root: string, { driver, threads, durability = "commit" }: StoreOptions) {
    this.root = root;
    this.driver = driver;
    this.#context = {
      root,
      driver,
      durable: durability !== "none",
      workers: () => {
        this.#workers ??= new LayerWorkers({ ...(threads !== undefined && { threads }) });
        return this.#workers;
      },
    };
  }

  /**
   * Open the store at `root`, making it if it is not there.
   * @throws StrataError `InvalidArgument`, if there is an OCI image layout of another version
   */
  static async open(options: StoreOptions): Promise<Store> {
    const store = new Store(resolve(options.root), options);
    await openLayout(store.#context);
    return store;
  }

  /** Stop the threads. The driver stays open: who opened it closes it. Twice is fine. */
  async close(): Promise<void> {
    const workers = this.#workers;
    this.#workers = undefined;
    await workers?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Bring in the images of an archive (docker's or OCI's, compressed or not) or of an OCI layout directory. */
  async load(source: string | Readable, options?: LoadOptions): Promise<LoadedImage[]> {
    const { load } = await import("./load.ts");
    return await load(this.#context, source, options);
  }

  /** Make an image of one layer from the tar, or the directory, of a root file system. */
  async import(source: string | Readable, options?: ImportOptions): Promise<{ id: Digest }> {
    const { importImage } = await import("./import.ts");
    return await importImage(this.#context, source, options);
  }

  /** The images as one archive that docker, podman and skopeo read; the same images give the same bytes. */
  async *save(references: readonly string[], options?: SaveOptions): AsyncGenerator<Buffer> {
    const { save } = await import("./save.ts");
    yield* save(this.#context, references, options);
  }

  async images(_options?: ImagesOptions): Promise<ImageSummary[]> {
    throw notYet("images");
  }

  /** @throws StrataError `NotFound`, "No such image: x" */
  async resolve(_reference: string): Promise<ImageRecord> {
    throw notYet("resolve");
  }

  /** The image in the shape of `docker image inspect`. */
  async inspect(_reference: string): Promise<object> {
    throw notYet("inspect");
  }

  /** The container in the shape of `docker container inspect`. */
  async inspectContainer(_idOrName: string): Promise<object> {
    throw notYet("inspect");
  }

  /** The steps that made an image, newest first. */
  async history(_reference: string): Promise<HistoryEntry[]> {
    throw notYet("history");
  }

  async tag(_source: string, _target: string): Promise<void> {
    throw notYet("tag");
  }

  /** Untag, and remove what has no tag left. @throws StrataError `FailedPrecondition`, with docker's conflict message */
  async removeImages(
    _references: readonly string[],
    _options?: RemoveImagesOptions,
  ): Promise<RemovalEvent[]> {
    throw notYet("rmi");
  }

  async createContainer(_image: string, _options?: CreateContainerOptions): Promise<ContainerRecord> {
    throw notYet("create");
  }

  async containers(): Promise<ContainerSummary[]> {
    throw notYet("ps");
  }

  async container(_idOrName: string): Promise<ContainerRecord> {
    throw notYet("container");
  }

  /** Make a container's tree visible until {@link unmountContainer}, also after this process has ended. */
  async mountContainer(_idOrName: string): Promise<string> {
    throw notYet("mount");
  }

  async unmountContainer(_idOrName: string, _options?: { force?: boolean }): Promise<void> {
    throw notYet("umount");
  }

  async removeContainer(_idOrName: string, _options?: { force?: boolean }): Promise<void> {
    throw notYet("rm");
  }

  async *changes(_idOrName: string, _options?: { signal?: AbortSignal }): AsyncGenerator<Change> {
    yield* [];
    throw notYet("diff");
  }

  /** The whole tree of a container as a tar. */
  async *exportContainer(_idOrName: string, _options?: { signal?: AbortSignal }): AsyncGenerator<Buffer> {
    yield* [];
    throw notYet("export");
  }

  async commit(_idOrName: string, _options?: CommitOptions): Promise<CommitResult> {
    throw notYet("commit");
  }

  async usage(): Promise<DiskUsage> {
    throw notYet("df");
  }

  async check(_options?: CheckOptions): Promise<Problem[]> {
    throw notYet("check");
  }

  async repair(_options?: CheckOptions): Promise<Problem[]> {
    throw notYet("repair");
  }

  async gc(_options?: { signal?: AbortSignal }): Promise<CleanupReport> {
    throw notYet("gc");
  }
}

function notYet(what: string): StrataError {
  return new StrataError("Unsupported", `${what}: not built yet`);
}
