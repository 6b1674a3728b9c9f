import { randomBytes } from "node:crypto";
import { type Digest, digestOf } from "@strata/core";
import type { FetchedBlob, RegistryClient } from "@strata/registry";

export interface Sample {
  readonly layer: Buffer;
  readonly layerDigest: Digest;
  readonly manifest: { readonly bytes: Buffer; readonly mediaType: string };
  readonly digest: Digest;
}

/** A small image, of bytes that no other has: a registry checks no more than that its blobs are there. */
export function sampleImage({
  layerBytes = 100_000,
  subject,
}: {
  layerBytes?: number;
  subject?: Sample;
} = {}): Sample & {
  readonly config: Buffer;
} {
  const layer = randomBytes(layerBytes);
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: digestOf(config),
        size: config.length,
      },
      layers: [
        { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(layer), size: layer.length },
      ],
      ...(subject && { subject: { mediaType, digest: subject.digest, size: subject.manifest.bytes.length } }),
    }),
  );
  return {
    layer,
    layerDigest: digestOf(layer),
    config,
    manifest: { bytes, mediaType },
    digest: digestOf(bytes),
  };
}

/** Push a blob in one part. */
export async function pushBlob(client: RegistryClient, data: Buffer): Promise<Digest> {
  const digest = digestOf(data);
  await (await client.startUpload()).finish(digest, { data });
  return digest;
}

/** Push a {@link sampleImage} under a tag. */
export async function pushSample(
  client: RegistryClient,
  tag: string,
  options: Parameters<typeof sampleImage>[0] = {},
): Promise<Sample> {
  const sample = sampleImage(options);
  await pushBlob(client, sample.layer);
  await pushBlob(client, sample.config);
  await client.putManifest(tag, sample.manifest);
  return sample;
}

/** All that is left of a stream. */
export async function contentOf({ stream }: Pick<FetchedBlob, "stream">): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
