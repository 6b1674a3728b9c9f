import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { hostPlatform, type RemoteImage } from "@strata/store";
import { hex, sha256, type TestImage } from "./image.ts";
import { descriptorOf } from "./layouts.ts";

const indexType = "application/vnd.oci.image.index.v1+json";
const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** A blob that was asked for, from a position on. */
export interface Asked {
  readonly digest: string;
  readonly from: number;
}

export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** What becomes of a blob's bytes on their way. */
export type Way = (bytes: Buffer, asked: Asked, signal: AbortSignal) => Pieces;

/** An image that is elsewhere, its layers as gzip: a registry of the tests' own. */
export class Remote {
  readonly image: TestImage;
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** Digests of the layers' blobs. */
  readonly layers: readonly string[];
  readonly manifest: Buffer;
  /** What was asked for, in that order; the config too. */
  readonly asked: Asked[] = [];

  /** @param level - of gzip */
  constructor(image: TestImage, level = 6) {
    this.image = image;
    const layers = image.layers.map((tar) => gzipSync(tar, { level }));
    this.layers = layers.map(sha256);
    const descriptors = layers.map((layer) =>
      descriptorOf(layer, "application/vnd.oci.image.layer.v1.tar+gzip"),
    );
    const config = descriptorOf(image.config, "application/vnd.oci.image.config.v1+json");
    this.manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: descriptors }),
    );
    this.blobs = new Map([image.config, this.manifest, ...layers].map((blob) => [sha256(blob), blob]));
  }

  /** An index that names the image, and an attestation of it, as docker's builds have them. */
  get index(): Buffer {
    const { manifest } = this;
    const own = {
      ...descriptorOf(manifest, manifestType),
      platform: { os: "linux", architecture: hostPlatform().architecture },
    };
    const other = {
      ...descriptorOf(Buffer.from("{}"), manifestType),
      platform: { os: "unknown", architecture: "unknown" },
    };
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [other, own] }));
  }

  /** The same as {@link as}, reached through the {@link index}. */
  asIndexed(references: readonly string[], way?: Way): RemoteImage {
    return { ...this.as(references, way), manifest: { bytes: this.index, mediaType: indexType } };
  }

  /** Layers that were asked for, each by its place in the image. */
  get askedLayers(): { layer: number; from: number }[] {
    return this.asked.flatMap(({ digest, from }) => {
      const layer = this.layers.indexOf(digest);
      return layer < 0 ? [] : [{ layer, from }];
    });
  }

  /**
   * @param references - in full form
   * @param way - of layers. @defaultValue they come as they are, in small pieces
   */
  as(references: readonly string[], way: Way = inPieces()): RemoteImage {
    const { asked, blobs, image, manifest } = this;
    return {
      what: references[0] ?? "image",
      manifest: { bytes: this.manifest, mediaType: manifestType },
      references,
      async *read({ digest }, from, signal) {
        asked.push({ digest, from });
        const bytes = blobs.get(digest) ?? Buffer.alloc(0);
        const rest = bytes.subarray(from);
        yield* digest === image.id || digest === sha256(manifest)
          ? [rest]
          : way(rest, { digest, from }, signal);
      },
    };
  }

  /** Write it to a directory, for a process of its own. */
  async write(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "manifest.json"), this.manifest);
    for (const [digest, bytes] of this.blobs) await writeFile(join(directory, hex(digest)), bytes);
  }
}

/** Bytes as they are, in pieces of a size. */
export function inPieces(size = 1000): Way {
  return async function* (bytes) {
    for (let at = 0; at < bytes.length; at += size) {
      yield bytes.subarray(at, at + size);
      await setImmediate();
    }
  };
}
