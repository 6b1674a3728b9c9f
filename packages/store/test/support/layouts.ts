import { gzipSync } from "node:zlib";
import { hex, sha256, type TestImage } from "./image.ts";
import type { Member } from "./tar.ts";

/** An image and what it is called. */
export interface Named {
  readonly image: TestImage;
  readonly tags?: readonly string[];
}

/** An item of docker's `manifest.json`. */
export interface DockerItem {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/**
 * As docker 20.10 saves: a directory a layer; one that an image has twice is a symlink the second time.
 * @param list - changes what `manifest.json` says
 */
export function docker20(
  named: readonly Named[],
  list: (items: DockerItem[]) => unknown = (items) => items,
): Member[] {
  const members = new Map<string, Member>();
  const items = named.map(({ image, tags = [] }, which) => {
    const config = `${hex(image.id)}.json`;
    members.set(config, { name: config, content: image.config });
    const seen = new Map<string, string>();
    const layers = image.layers.map((tar, index) => {
      const directory = sha256(`${which} ${index}`).slice(7);
      const name = `${directory}/layer.tar`;
      const first = seen.get(sha256(tar));
      members.set(`${directory}/VERSION`, { name: `${directory}/VERSION`, content: "1.0" });
      members.set(`${directory}/json`, { name: `${directory}/json`, content: "{}" });
      members.set(
        name,
        first ? { name, header: { name, type: "symlink", linkname: `../${first}` } } : { name, content: tar },
      );
      if (first === undefined) seen.set(sha256(tar), name);
      return name;
    });
    return { Config: config, RepoTags: tags.length > 0 ? tags : null, Layers: layers };
  });
  return [
    ...members.values(),
    { name: "manifest.json", content: JSON.stringify(list(items)) },
    { name: "repositories", content: "{}" },
  ];
}

/** As podman and skopeo save: layers by DiffID, with symlinks for docker. */
export function podman(named: readonly Named[]): Member[] {
  const items = named.map(({ image, tags = [] }) => ({
    Config: `${hex(image.id)}.json`,
    RepoTags: tags,
    Layers: image.diffIds.map((diffId) => `${hex(diffId)}.tar`),
  }));
  const members = named.flatMap(({ image }) => [
    ...image.layers.flatMap((tar, index): Member[] => {
      const name = `${hex(image.diffIds[index] ?? "")}.tar`;
      const link = `${hex(sha256(name))}/layer.tar`;
      return [
        { name, content: tar },
        { name: link, header: { name: link, type: "symlink", linkname: `../${name}` } },
      ];
    }),
    { name: `${hex(image.id)}.json`, content: image.config },
  ]);
  return [...members, { name: "manifest.json", content: JSON.stringify(items) }];
}

export interface OciOptions {
  /** How layers are stored. @defaultValue gzip */
  readonly compress?: (tar: Buffer) => Buffer;
  readonly layerType?: string;
  /** Changes the descriptor of each manifest. */
  readonly describe?: (descriptor: Record<string, unknown>, named: Named) => object;
  /** Changes each manifest. */
  readonly manifest?: (manifest: TestManifest) => object;
}

export interface TestManifest {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly config: Record<string, unknown>;
  readonly layers: readonly Record<string, unknown>[];
}

const gzipType = "application/vnd.oci.image.layer.v1.tar+gzip";

/** The blobs of an image in OCI's form; the last is the manifest. */
export function ociBlobs(
  image: TestImage,
  { compress = gzipSync, layerType = gzipType, manifest: change = (manifest) => manifest }: OciOptions = {},
): Buffer[] {
  const layers = image.layers.map((layer) => compress(layer));
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptorOf(image.config, "application/vnd.oci.image.config.v1+json"),
    layers: layers.map((layer) => descriptorOf(layer, layerType)),
  };
  return [...layers, image.config, Buffer.from(JSON.stringify(change(manifest)))];
}

export function descriptorOf(bytes: Buffer, mediaType: string): Record<string, unknown> {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

export function blobMember(bytes: Buffer): Member {
  return { name: `blobs/sha256/${hex(sha256(bytes))}`, content: bytes };
}

/** An OCI image layout. */
export function oci(named: readonly Named[], options: OciOptions = {}): Member[] {
  const blobs = named.map(({ image }) => ociBlobs(image, options));
  const manifests = named.flatMap((one, index) => {
    const manifest = blobs[index]?.at(-1) ?? Buffer.alloc(0);
    const plain = descriptorOf(manifest, "application/vnd.oci.image.manifest.v1+json");
    const tags = one.tags ?? [];
    const all = tags.length === 0 ? [plain] : tags.map((tag) => ({ ...plain, annotations: nameIt(tag) }));
    return all.map((descriptor) => options.describe?.(descriptor, one) ?? descriptor);
  });
  return [
    ...new Map(blobs.flat().map((blob) => [sha256(blob), blobMember(blob)])).values(),
    ...ociFiles(manifests),
  ];
}

export function ociFiles(manifests: readonly object[]): Member[] {
  return [
    { name: "index.json", content: JSON.stringify({ schemaVersion: 2, manifests }) },
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
  ];
}

function nameIt(tag: string): object {
  return { "org.opencontainers.image.ref.name": tag };
}

/** As docker 25 saves: an OCI layout, uncompressed, with `manifest.json` beside it; `ref.name` is the tag only. */
export function docker25(named: readonly Named[]): Member[] {
  const layout = oci(named, {
    compress: (tar) => tar,
    layerType: "application/vnd.oci.image.layer.v1.tar",
    describe: ({ annotations: _, ...descriptor }, { tags: [tag = ""] = [] }) => ({
      ...descriptor,
      annotations: {
        "io.containerd.image.name": `docker.io/library/${tag}`,
        "org.opencontainers.image.ref.name": tag.slice(tag.indexOf(":") + 1),
      },
    }),
  });
  const items = named.map(({ image, tags = [] }) => ({
    Config: `blobs/sha256/${hex(image.id)}`,
    RepoTags: tags,
    Layers: image.diffIds.map((diffId) => `blobs/sha256/${hex(diffId)}`),
  }));
  return [...layout, { name: "manifest.json", content: JSON.stringify(items) }];
}
