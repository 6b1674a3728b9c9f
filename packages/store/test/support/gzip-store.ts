import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chainIds, type Digest, type Problem } from "@strata/core";
import { expect } from "vitest";
import { hex, imageOf, type TestImage } from "./image.ts";
import { oci } from "./layouts.ts";
import { type DriverName, drivers, type OpenedStore, openStore, Scratch, unmountAll } from "./store.ts";
import { tarOf } from "./tar.ts";

/** A store with an image `base:1` of three gzip layers, which can be loaded again from `archive`. */
export class GzipStore implements AsyncDisposable {
  readonly scratch: Scratch;
  readonly opened: OpenedStore;
  readonly image: TestImage;
  readonly archive: string;
  /** Its root file system. */
  readonly tree = { "etc/conf": "upper", "etc/old": "x", "usr/tool": "tool" };

  private constructor(scratch: Scratch, opened: OpenedStore, image: TestImage, archive: string) {
    this.scratch = scratch;
    this.opened = opened;
    this.image = image;
    this.archive = archive;
  }

  static async make(driver: DriverName | undefined = drivers[0]): Promise<GzipStore> {
    const scratch = await Scratch.make();
    const opened = await openStore(scratch.join("store"), driver);
    const image = await imageOf([
      { "etc/": "", "etc/conf": "lower", "etc/old": "x", "etc/gone": "x" },
      { "etc/conf": "upper", "etc/.wh.gone": "" },
      { "usr/": "", "usr/tool": "tool" },
    ]);
    const archive = scratch.join("archive.tar");
    await writeFile(archive, await tarOf(oci([{ image, tags: ["base:1"] }])));
    await opened.store.load(archive);
    return new GzipStore(scratch, opened, image, archive);
  }

  chainOf(layer: number): Digest {
    const chain = chainIds(this.image.diffIds.map((id): Digest => `sha256:${hex(id)}`));
    return chain[layer] ?? `sha256:${layer}`;
  }

  /** A file of an unpacked layer. */
  async unpacked(layer: number, name: string): Promise<string> {
    return join((await this.opened.driver.open(this.chainOf(layer))).layout().dir, name);
  }

  async blobOf(layer: number): Promise<string> {
    const { manifest } = await this.opened.store.resolve("base:1");
    return this.blobFile(manifest.layers[layer]?.digest ?? "");
  }

  blobFile(digest: string): string {
    return join(this.opened.root, "blobs", "sha256", hex(digest));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await unmountAll(this.opened);
    await this.opened[Symbol.asyncDispose]();
    await this.scratch[Symbol.asyncDispose]();
  }
}

/** Change one bit of a file, and not its size. */
export async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  await writeFile(path, bytes);
}

/** The one problem that was found. */
export async function only(problems: Promise<Problem[]>): Promise<Problem> {
  const [problem, ...others] = await problems;
  expect(others).toEqual([]);
  if (problem === undefined) throw new Error("no problem was found");
  return problem;
}
