import type { FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import {
  attempt,
  type CallOptions,
  type CleanupReport,
  type Digest,
  type Durability,
  type Problem,
  type StorageDriver,
  toStrataError,
} from "@strata/core";
import type { Change, LayerWorkers } from "@strata/layer";
import type { TreeOptions } from "./containers/changes.ts";
import type { CommitOptions, CommitResult } from "./containers/commit.ts";
import type { CreateContainerOptions } from "./containers/create.ts";
import type { ContainerSummary } from "./containers/list.ts";
import type { UnmountContainerOptions } from "./containers/mount.ts";
import type { ContainerRecord } from "./containers/records.ts";
import type { RemoveContainerOptions } from "./containers/remove.ts";
import type { StoreContext } from "./content/context.ts";
import type { CurrentImage } from "./content/current.ts";
import type { ImageRecord } from "./content/image-record.ts";
import type { Descriptor } from "./documents.ts";
import type { HistoryEntry } from "./images/history.ts";
import type { ImageSummary, ImagesOptions } from "./images/list.ts";
import type { Removal, RemoveImagesOptions } from "./images/remove.ts";
import type { ImportOptions } from "./import.ts";
import type { IngestedImage } from "./ingest/ingest-images.ts";
import type { LoadedImage, LoadOptions } from "./load.ts";
import type { CheckOptions } from "./maintenance/options.ts";
import type { DiskUsage } from "./maintenance/usage.ts";
import type { ReceiveOptions, RemoteImage } from "./receive.ts";
import type { Repositories } from "./repositories/repositories.ts";
import type { SaveOptions } from "./save.ts";
import type { UploadNote, UploadTarget } from "./uploads/upload-note.ts";

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
 * The content is an OCI image layout as it stands: skopeo, umoci and crane can read it. The layers of its images are
 * unpacked as snapshots of a storage driver, named by ChainID. Several processes may use one root at the same time.
 *
 * Each method is a function in a file of its own, which is loaded when it is first called: a command that lists images
 * need not load what unpacks them. A system error arrives as the `cause` of a {@link StrataError}.
 */
export class Store implements AsyncDisposable {
  readonly root: string;
  readonly driver: StorageDriver;
  readonly #context: StoreContext;
  #workers: Promise<LayerWorkers> | undefined;

  private constructor(root: string, { driver, threads, durability = "commit" }: StoreOptions) {
    this.root = root;
    this.driver = driver;
    const startWorkers = async (): Promise<LayerWorkers> => {
      const { LayerWorkers } = await import("@strata/layer");
      return new LayerWorkers({ ...(threads !== undefined && { threads }) });
    };
    this.#context = {
      root,
      driver,
      durable: durability !== "none",
      workers: async () => {
        this.#workers ??= startWorkers();
        return await this.#workers;
      },
    };
  }

  /**
   * Open the store at `root`, making it if it is not there.
   * @throws StrataError `InvalidArgument`, if there is an OCI image layout of another version
   */
  static async open(options: StoreOptions): Promise<Store> {
    const store = new Store(resolve(options.root), options);
    await attempt(`open the store in ${store.root}`, async () =>
      (await import("./content/open-layout.ts")).openLayout(store.#context),
    );
    return store;
  }

  /** Stop the threads. The driver stays open: who opened it closes it. Twice is fine. */
  async close(): Promise<void> {
    const workers = this.#workers;
    this.#workers = undefined;
    await (await workers)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Bring in the images of an archive (docker's or OCI's, compressed or not) or of an OCI layout directory. */
  async load(source: string | Readable, options?: LoadOptions): Promise<LoadedImage[]> {
    return await attempt("load", async () =>
      (await import("./load.ts")).load(this.#context, source, options),
    );
  }

  /** Bring in images whose bytes come from elsewhere, as a registry's do, unpacking them while they arrive. */
  async receive(images: readonly RemoteImage[], options?: ReceiveOptions): Promise<IngestedImage[]> {
    return await attempt("receive", async () =>
      (await import("./receive.ts")).receive(this.#context, images, options),
    );
  }

  /** The digests of the image that a reference names, if it names one that is whole: see `currentImage`. */
  async current(reference: string): Promise<CurrentImage | undefined> {
    return await attempt(`image ${reference}`, async () =>
      (await import("./content/current.ts")).currentImage(this.root, reference, [this.driver.root]),
    );
  }

  /** Make an image of one layer from the tar, or the directory, of a root file system. */
  async import(source: string | Readable, options?: ImportOptions): Promise<{ id: Digest }> {
    return await attempt("import", async () =>
      (await import("./import.ts")).importImage(this.#context, source, options),
    );
  }

  /** Images as one archive that docker, podman and skopeo read; the same images give the same bytes. */
  async *save(references: readonly string[], options?: SaveOptions): AsyncGenerator<Buffer> {
    try {
      const { save } = await import("./save.ts");
      yield* save(this.#context, references, options);
    } catch (error) {
      throw toStrataError(error, "save");
    }
  }

  /** The images, newest first. */
  async images(options?: ImagesOptions): Promise<ImageSummary[]> {
    return await attempt("list images", async () =>
      (await import("./images/list.ts")).listImages(this.#context, options),
    );
  }

  /** All that is known of one image. @throws StrataError `NotFound`, "No such image: x" */
  async resolve(reference: string): Promise<ImageRecord> {
    return await attempt(`image ${reference}`, async () =>
      (await import("./images/resolve.ts")).resolveImage(this.#context, reference),
    );
  }

  /** The steps that made an image, newest first. */
  async history(reference: string): Promise<HistoryEntry[]> {
    return await attempt(`history of ${reference}`, async () =>
      (await import("./images/history.ts")).imageHistory(this.#context, reference),
    );
  }

  /** Give an image a further reference, which another image loses if it had it. */
  async tag(source: string, target: string): Promise<void> {
    await attempt(`tag ${target}`, async () =>
      (await import("./images/tag.ts")).tagImage(this.#context, source, target),
    );
  }

  /** Untag images, and remove those without a reference; each in turn, saying why one could not be. */
  async removeImages(references: readonly string[], options?: RemoveImagesOptions): Promise<Removal[]> {
    return await attempt("remove images", async () =>
      (await import("./images/remove.ts")).removeImages(this.#context, references, options),
    );
  }

  /** Put a writable layer over an image. */
  async createContainer(image: string, options?: CreateContainerOptions): Promise<ContainerRecord> {
    return await attempt(`create a container of ${image}`, async () =>
      (await import("./containers/create.ts")).createContainer(this.#context, image, options),
    );
  }

  async containers(): Promise<ContainerSummary[]> {
    return await attempt("list containers", async () =>
      (await import("./containers/list.ts")).summarizeContainers(this.#context),
    );
  }

  /** @throws StrataError `NotFound`, "No such container: x" */
  async container(idOrName: string): Promise<ContainerRecord> {
    return await attempt(`container ${idOrName}`, async () => {
      const { findContainer, listContainers } = await import("./containers/records.ts");
      return findContainer(await listContainers(this.#context), idOrName);
    });
  }

  /** Make a container's tree visible until {@link unmountContainer}, also after this process has ended. */
  async mountContainer(idOrName: string): Promise<string> {
    return await attempt(`mount ${idOrName}`, async () =>
      (await import("./containers/mount.ts")).mountContainer(this.#context, idOrName),
    );
  }

  async unmountContainer(idOrName: string, options?: UnmountContainerOptions): Promise<void> {
    await attempt(`unmount ${idOrName}`, async () =>
      (await import("./containers/mount.ts")).unmountContainer(this.#context, idOrName, options),
    );
  }

  async removeContainer(idOrName: string, options?: RemoveContainerOptions): Promise<void> {
    await attempt(`remove ${idOrName}`, async () =>
      (await import("./containers/remove.ts")).removeContainer(this.#context, idOrName, options),
    );
  }

  /** What a container changed against its image. */
  async *changes(idOrName: string, options?: TreeOptions): AsyncGenerator<Change> {
    try {
      const { containerChanges } = await import("./containers/changes.ts");
      yield* containerChanges(this.#context, idOrName, options);
    } catch (error) {
      throw toStrataError(error, `changes of ${idOrName}`);
    }
  }

  /** The whole tree of a container as a tar. */
  async *exportContainer(idOrName: string, options?: TreeOptions): AsyncGenerator<Buffer> {
    try {
      const { exportContainer } = await import("./containers/changes.ts");
      yield* exportContainer(this.#context, idOrName, options);
    } catch (error) {
      throw toStrataError(error, `export ${idOrName}`);
    }
  }

  /** Make an image of a container: its image's layers, and one that holds exactly what it changed. */
  async commit(idOrName: string, options?: CommitOptions): Promise<CommitResult> {
    return await attempt(`commit ${idOrName}`, async () =>
      (await import("./containers/commit.ts")).commitContainer(this.#context, idOrName, options),
    );
  }

  /** The image in the shape of `docker image inspect`. */
  async inspect(reference: string): Promise<object> {
    return await attempt(`inspect ${reference}`, async () =>
      (await import("./images/inspect.ts")).inspectImage(this.#context, reference),
    );
  }

  /** The container in the shape of `docker container inspect`. */
  async inspectContainer(idOrName: string): Promise<object> {
    return await attempt(`inspect ${idOrName}`, async () =>
      (await import("./containers/inspect.ts")).inspectContainer(this.#context, idOrName),
    );
  }

  /** The store as a registry has it; to be closed by who asked for it. */
  async repositories(): Promise<Repositories> {
    const { Repositories } = await import("./repositories/repositories.ts");
    return new Repositories(this.#context);
  }

  /**
   * Open a blob of an image: it can be read to its end, whatever becomes of it meanwhile.
   * @throws StrataError `Corrupt`, if it is gone or has another size
   */
  async openBlob(blob: Pick<Descriptor, "digest" | "size">): Promise<FileHandle> {
    return await attempt(`blob ${blob.digest}`, async () =>
      (await import("./content/blobs.ts")).openBlob(this.root, blob),
    );
  }

  /** Hold the upload of a blob to a registry, with what was noted of it; waits while somebody else has it. */
  async holdUpload(target: UploadTarget, options?: CallOptions): Promise<UploadNote> {
    return await attempt(`upload of ${target.digest}`, async () =>
      (await import("./uploads/upload-note.ts")).UploadNote.hold(this.root, target, options),
    );
  }

  /** How much disk space images, containers, blobs and staging take. */
  async usage(options?: CallOptions): Promise<DiskUsage> {
    return await attempt("disk usage", async () =>
      (await import("./maintenance/usage.ts")).diskUsage(this.#context, options),
    );
  }

  /** Look for damage. An empty list means that none was found. */
  async check(options?: CheckOptions): Promise<Problem[]> {
    return await attempt("check", async () =>
      (await import("./maintenance/examine.ts")).checkStore(this.#context, options),
    );
  }

  /** Look for damage, and mend it. @returns what is left to do */
  async repair(options?: CheckOptions): Promise<Problem[]> {
    return await attempt("repair", async () =>
      (await import("./maintenance/examine.ts")).repairStore(this.#context, options),
    );
  }

  /** Give back what nothing owns. */
  async gc(options?: CallOptions): Promise<CleanupReport> {
    return await attempt("gc", async () =>
      (await import("./maintenance/gc.ts")).collectGarbage(this.#context, options),
    );
  }
}
