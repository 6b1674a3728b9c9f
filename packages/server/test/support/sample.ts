import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Scratch } from "@strata/conformance/suite";
import { type Digest, digestOf } from "@strata/core";
import type { Client } from "./client.ts";

export const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  empty: "application/vnd.oci.empty.v1+json",
} as const;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export function descriptorOf(mediaType: string, content: Uint8Array | object): Descriptor {
  const bytes = content instanceof Uint8Array ? content : bytesOf(content);
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

export function bytesOf(document: object): Buffer {
  return Buffer.from(JSON.stringify(document));
}

export interface SampleImage {
  readonly layer: Buffer;
  readonly config: Buffer;
  readonly manifest: { readonly mediaType: string; readonly layers: readonly Descriptor[] };
  readonly digest: Digest;
  /** The image ID. */
  readonly id: Digest;
}

export interface SampleOptions {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly architecture?: string;
  /** Of the manifest. */
  readonly subject?: Descriptor;
}

/** An image of one layer, which can be unpacked. */
export async function sampleImage({
  files = { "etc/hello": "hello" },
  architecture = process.arch === "x64" ? "amd64" : process.arch,
  subject,
}: SampleOptions = {}): Promise<SampleImage> {
  const layer = await tarOf(files);
  const config = bytesOf({
    architecture,
    os: "linux",
    config: { Cmd: ["cat", "/etc/hello"] },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptorOf(types.config, config),
    layers: [descriptorOf(types.layer, layer)],
    ...(subject && { subject }),
  };
  return { layer, config, manifest, digest: digestOf(bytesOf(manifest)), id: digestOf(config) };
}

async function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  await using scratch = new Scratch();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(scratch.join(path)), { recursive: true });
    writeFileSync(scratch.join(path), content);
  }
  const fixed = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--sort=name"];
  return execFileSync("tar", [...fixed, "-C", scratch.path, "-cf", "-", ...Object.keys(files)], {
    maxBuffer: 2 ** 30,
  });
}

/** Push an image, blobs first. @param reference - a tag, or "digest" */
export async function pushImage(
  client: Client,
  repository: string,
  reference: string,
  image: SampleImage,
): Promise<void> {
  await client.pushBlob(repository, image.layer);
  await client.pushBlob(repository, image.config);
  const answer = await client.putManifest(
    repository,
    reference === "digest" ? image.digest : reference,
    image.manifest,
  );
  if (answer.status !== 201) throw new Error(`PUT of a manifest: ${answer.status} ${answer.body}`);
}

/** Something that says what it is by its artifactType, and says it of something else. */
export function artifact(artifactType: string, subject?: Descriptor, blob = Buffer.from("{}")): object {
  return {
    schemaVersion: 2,
    mediaType: types.manifest,
    artifactType,
    config: descriptorOf(types.empty, Buffer.from("{}")),
    layers: [descriptorOf(types.empty, blob)],
    annotations: { "org.example.note": artifactType },
    ...(subject && { subject }),
  };
}
