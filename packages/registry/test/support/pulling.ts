import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Scratch } from "@strata/conformance/suite";
import { type PulledImage, type PullOptions, pull, type Registries } from "@strata/registry";
import { parseReference, type Reference } from "@strata/store";
import { expect } from "vitest";
import { hex, sha256 } from "../../../store/test/support/image.ts";
import type { Remote } from "../../../store/test/support/remote.ts";
import {
  type DriverName,
  type OpenedStore,
  openStore,
  Scratch as StoreScratch,
  treeOf,
  unmountAll,
} from "../../../store/test/support/store.ts";
import { unowned } from "../../../store/test/support/unowned.ts";
import { DockerRegistry, type DockerRegistryOptions } from "./docker-registry.ts";
import type { Fault } from "./faulty-proxy.ts";
import { pushBlob } from "./sample.ts";
import { type OpenUserOptions, User } from "./user.ts";
import type { RecordedRequest } from "./web-server.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Text of so many bytes that compresses to about half of them. */
export const random = (bytes: number): string => randomBytes(bytes / 2).toString("hex");

/** A docker-registry, and somebody with a store of their own who pulls from it. */
export class Pulling implements AsyncDisposable {
  readonly server: DockerRegistry;
  readonly user: User;
  readonly scratch: Scratch;
  readonly opened: OpenedStore;
  #registries: Registries;
  /** In the order in which they go. */
  readonly #resources: readonly AsyncDisposable[];

  private constructor(
    parts: Pick<Pulling, "server" | "user" | "scratch" | "opened">,
    registries: Registries,
    resources: readonly AsyncDisposable[],
  ) {
    this.server = parts.server;
    this.user = parts.user;
    this.scratch = parts.scratch;
    this.opened = parts.opened;
    this.#registries = registries;
    this.#resources = resources;
  }

  static async start(
    driver: DriverName = "vfs",
    options: OpenUserOptions & { readonly server?: DockerRegistryOptions } = {},
  ): Promise<Pulling> {
    const resources: AsyncDisposable[] = [];
    const keep = <T extends AsyncDisposable>(resource: T): T => {
      resources.unshift(resource);
      return resource;
    };
    try {
      const scratch = keep(new Scratch());
      const storage = keep(await StoreScratch.make(driver));
      const server = keep(await DockerRegistry.start(options.server));
      const opened = keep(await openStore(storage.join("store"), driver));
      const user = new User(scratch);
      return new Pulling({ server, user, scratch, opened }, await user.open(options), resources);
    } catch (error) {
      for (const resource of resources) await resource[Symbol.asyncDispose]();
      throw error;
    }
  }

  get registries(): Registries {
    return this.#registries;
  }

  /** Have other settings from now on. */
  async reopen(options: OpenUserOptions): Promise<void> {
    await this.#registries.close();
    this.#registries = await this.user.open(options);
  }

  get proxy(): DockerRegistry["proxy"] {
    return this.server.proxy;
  }

  reference(name = "app:1"): Reference {
    return parseReference(`${this.server.host}/${name}`);
  }

  /** Publish an image, past the proxy. */
  async push(remote: Remote, name = "app:1"): Promise<void> {
    await this.pushBlobs(remote, name);
    await this.pushManifest(remote.manifest, manifestType, name);
  }

  async pushBlobs(remote: Remote, name = "app:1"): Promise<void> {
    const client = this.registries.repository(parseReference(`${this.server.directHost}/${name}`));
    for (const [digest, bytes] of remote.blobs)
      if (digest !== sha256(remote.manifest)) await pushBlob(client, bytes);
  }

  /** @param name - with the tag or the digest to put it under */
  async pushManifest(bytes: Buffer, mediaType: string, name = "app:1"): Promise<void> {
    const reference = parseReference(`${this.server.directHost}/${name}`);
    const under = reference.digest ?? reference.tag ?? "";
    await this.registries.repository(reference).putManifest(under, { bytes, mediaType });
  }

  async pull(name = "app:1", options: PullOptions = {}): Promise<PulledImage> {
    return await pull(this.opened.store, this.registries, this.reference(name), options);
  }

  /** Requests for blobs, by digest. @param proxy - that they went through */
  blobRequests(proxy = this.proxy): (RecordedRequest & { readonly digest: string; readonly from: number })[] {
    return proxy.requests.flatMap((request) => {
      const digest = /\/blobs\/(sha256:\w+)$/.exec(request.url)?.[1];
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      return digest === undefined ? [] : [{ ...request, digest, from }];
    });
  }

  /** Layers that were asked for, each by its place in the image. */
  layersAsked(remote: Remote, proxy = this.proxy): { layer: number; from: number }[] {
    return this.blobRequests(proxy).flatMap(({ digest, from }) => {
      const layer = remote.layers.indexOf(digest);
      return layer < 0 ? [] : [{ layer, from }];
    });
  }

  /** Let something go wrong with requests for one blob. */
  failBlob(digest: string | undefined, fault: (request: RecordedRequest) => Fault | undefined): void {
    this.proxy.fault = (request) => (request.url.endsWith(`/blobs/${digest}`) ? fault(request) : undefined);
  }

  /** Forget what was asked, and let nothing more go wrong. */
  calm(): void {
    this.proxy.fault = () => undefined;
    this.proxy.requests.length = 0;
  }

  /** Where a blob lies while it arrives. */
  partial(digest = ""): string {
    return join(this.opened.root, "downloads", hex(digest));
  }

  /** How much of a blob has arrived. */
  arrived(digest?: string): number {
    const path = this.partial(digest);
    return existsSync(path) ? statSync(path).size : 0;
  }

  /** Digests of what has arrived in part, in hex. */
  get partials(): string[] {
    const directory = join(this.opened.root, "downloads");
    return existsSync(directory) ? readdirSync(directory).sort() : [];
  }

  /** That an image is in the store as the registry has it, and nothing is damaged or left over. */
  async expectWhole(remote: Remote, tree: object, name = "app:1"): Promise<void> {
    const reference = this.reference(name).toString();
    const { id, digest } = await this.opened.store.resolve(reference);
    expect({ id, digest }).toEqual({ id: remote.image.id, digest: sha256(remote.manifest) });
    expect(await treeOf(this.opened, reference)).toEqual(tree);
    await this.expectSound();
    expect(this.partials).toEqual([]);
  }

  /** That nothing is damaged, and nothing left over but downloads to go on with. */
  async expectSound(): Promise<void> {
    const { opened } = this;
    expect(await opened.store.check()).toEqual([]);
    expect((await unowned(opened)).filter((path) => !path.startsWith("downloads/"))).toEqual([]);
  }

  /** Remove an image, with all that it alone needs. */
  async remove(name = "app:1"): Promise<void> {
    await this.opened.store.removeImages([this.reference(name).toString()]);
    await this.opened.store.gc();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registries.close();
    await unmountAll(this.opened);
    for (const resource of this.#resources) await resource[Symbol.asyncDispose]();
  }
}
