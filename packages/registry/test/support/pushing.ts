import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PushedImage, type PushOptions, type PushProgress, push } from "@strata/registry";
import { parseReference } from "@strata/store";
import { expect } from "vitest";
import type { TestImage } from "../../../store/test/support/image.ts";
import { type OciOptions, oci } from "../../../store/test/support/layouts.ts";
import { type DriverName, openStore } from "../../../store/test/support/store.ts";
import { tarOf } from "../../../store/test/support/tar.ts";
import { Pulling } from "./pulling.ts";
import { contentOf } from "./sample.ts";
import type { RecordedRequest } from "./web-server.ts";

/** What a request did of an upload. */
export interface Sent {
  readonly method: string;
  /** The first byte of the blob. */
  readonly from: number;
  readonly bytes: number;
}

/** Layers as they are, so that the bytes of a blob are those of its files, more or less. */
export const plainLayers: OciOptions = {
  compress: (tar) => tar,
  layerType: "application/vnd.oci.image.layer.v1.tar",
};

/** Somebody with a store of their own, who pushes from it to a docker-registry. */
export class Pushing {
  readonly room: Pulling;

  private constructor(room: Pulling) {
    this.room = room;
  }

  static async start(...options: Parameters<typeof Pulling.start>): Promise<Pushing> {
    return new Pushing(await Pulling.start(...options));
  }

  get proxy(): Pulling["proxy"] {
    return this.room.proxy;
  }

  /** Where the next process finds what this one has noted. */
  get notes(): string[] {
    const dir = join(this.room.opened.root, "uploads");
    return existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [];
  }

  /** Bring an image into the store. */
  async load(image: TestImage, name = "app:1", options: OciOptions = plainLayers): Promise<void> {
    const { opened, scratch } = this.room;
    const archive = scratch.join(`${Math.random()}.tar`);
    const tags = [this.room.reference(name).toString()];
    writeFileSync(archive, await tarOf(oci([{ image, tags }], options)));
    await opened.store.load(archive);
  }

  /** Give an image another name. */
  async tag(from: string, to: string): Promise<void> {
    const { opened } = this.room;
    await opened.store.tag(this.room.reference(from).toString(), this.room.reference(to).toString());
  }

  async push(name = "app:1", options: PushOptions = {}): Promise<PushedImage> {
    const { opened, registries } = this.room;
    return await push(opened.store, registries, this.room.reference(name), options);
  }

  /** Push, and tell what was said of it. */
  async report(name = "app:1", options: PushOptions = {}): Promise<PushProgress[]> {
    const events: PushProgress[] = [];
    await this.push(name, { ...options, onProgress: (event) => events.push(event) });
    return events;
  }

  /** The size and the digest of each layer. */
  async layers(name = "app:1"): Promise<{ readonly digest: string; readonly size: number }[]> {
    const { manifest } = await this.room.opened.store.resolve(this.room.reference(name).toString());
    return manifest.layers;
  }

  /** What was sent of blobs, in this order. */
  get sent(): Sent[] {
    return sentBy(this.proxy.requests);
  }

  /** That the registry has an image as the store has it, byte for byte, and nothing is left of the way there. */
  async expectPushed(name = "app:1"): Promise<void> {
    const { opened, registries, server } = this.room;
    const { manifest, manifestBytes, digest, entries } = await opened.store.resolve(
      this.room.reference(name).toString(),
    );
    const there = parseReference(`${server.directHost}/${name}`);
    const client = registries.repository(there);
    const { mediaType } = entries[0];
    expect(await client.getManifest(there.tag ?? "")).toEqual({ bytes: manifestBytes, mediaType, digest });
    for (const blob of [manifest.config, ...manifest.layers]) {
      await using file = await opened.store.openBlob(blob);
      const bytes = await contentOf(await client.getBlob(blob.digest));
      expect(bytes.equals(await file.readFile()), blob.digest).toBe(true);
    }
    expect(this.notes).toEqual([]);
  }

  /** Another store of the same room. */
  openOther(driver: DriverName = "vfs"): ReturnType<typeof openStore> {
    return openStore(this.room.scratch.join(`other-${driver}`), driver);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.room[Symbol.asyncDispose]();
  }
}

/** What some requests sent of blobs. */
export function sentBy(requests: readonly RecordedRequest[]): Sent[] {
  return requests.filter(isPartOfUpload).map(({ method, headers }) => ({
    method,
    from: Number(/^(\d+)-/.exec(headers["content-range"] ?? "")?.[1] ?? 0),
    bytes: Number(headers["content-length"]),
  }));
}

/** Whether a request brings bytes of a blob, or may. */
export function isPartOfUpload({ method, url }: Pick<RecordedRequest, "method" | "url">): boolean {
  return (method === "PATCH" || method === "PUT") && url.includes("/blobs/uploads/");
}
