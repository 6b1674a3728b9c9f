import { compressors } from "./support/compress.ts";
import { type Attack, invalid, layers, refuses, withBlobs, withOci } from "./support/hostile.ts";
import { imageOf } from "./support/image.ts";
import { docker20 } from "./support/layouts.ts";

const wrongBytes: Attack[] = [
  {
    title: "a DiffID that is not the layer's",
    make: async () =>
      docker20([{ image: await imageOf(layers, { diffIds: (await imageOf([{}, {}])).diffIds }) }]),
    code: "Corrupt",
    says: /DiffID|digest/i,
  },
  {
    title: "a layer blob of other bytes",
    make: () =>
      withBlobs((bytes) => (bytes[0] === 0x1f ? compressors["gzip"]?.(Buffer.alloc(10_240)) : bytes)),
    code: "Corrupt",
    says: /digest|size/i,
  },
  {
    title: "a layer blob with bytes after it",
    make: () => withBlobs((bytes) => (bytes[0] === 0x1f ? Buffer.concat([bytes, Buffer.alloc(9)]) : bytes)),
    code: "Corrupt",
    says: /digest|size|after/i,
  },
  {
    title: "a config blob of other bytes",
    make: () =>
      withBlobs((bytes, json) =>
        json.includes("rootfs") ? Buffer.from(json.replace("linux", "LINUX")) : bytes,
      ),
    code: "Corrupt",
    says: /blob sha256/,
  },
  {
    title: "a manifest of other bytes",
    make: () =>
      withBlobs((bytes, json) => (json.includes('layers":[{"mediaType') ? Buffer.from(`${json} `) : bytes)),
    code: "Corrupt",
    says: /blob sha256/,
  },
  {
    title: "no layer blobs",
    make: () => withBlobs((bytes) => (bytes[0] === 0x1f ? undefined : bytes)),
    code: "Corrupt",
    says: /its bytes are not there/,
  },
  {
    title: "foreign layers, which are elsewhere",
    make: async () =>
      (await withOci({ layerType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" })).filter(
        ({ content }) => !Buffer.isBuffer(content) || content[0] !== 0x1f,
      ),
    code: "Corrupt",
    says: /foreign/,
  },
  {
    title: "layers that are not what the config says",
    make: () => withOci({ compress: () => compressors["gzip"]?.(Buffer.alloc(1024)) ?? Buffer.alloc(0) }),
    code: "Corrupt",
    says: /DiffID|digest/i,
  },
  {
    title: "a layer that says it is smaller",
    make: () =>
      withOci({
        manifest: (manifest) => ({
          ...manifest,
          layers: manifest.layers.map((one) => ({ ...one, size: 7 })),
        }),
      }),
    code: "Corrupt",
    says: /size|bytes/,
  },
  ...["sha512:ab", "sha256:AB", "sha256:../../../etc/passwd", 7].map((digest) => ({
    title: `a layer's digest ${digest}`,
    make: () =>
      withOci({
        manifest: (manifest) => ({ ...manifest, layers: manifest.layers.map((one) => ({ ...one, digest })) }),
      }),
    code: invalid,
    says: /layers\.0\.digest: expected a sha256 digest/,
  })),
  {
    title: "a size below 0",
    make: () =>
      withOci({
        manifest: (manifest) => ({
          ...manifest,
          layers: manifest.layers.map((one) => ({ ...one, size: -1 })),
        }),
      }),
    code: invalid,
    says: /size/,
  },
  {
    title: "a manifest that is an index too",
    make: () => withOci({ manifest: (manifest) => ({ ...manifest, manifests: [] }) }),
    code: invalid,
    says: /cannot be an index too/,
  },
  {
    title: "a manifest that says it is something else",
    make: () =>
      withOci({
        manifest: (manifest) => ({ ...manifest, mediaType: "application/vnd.oci.image.index.v1+json" }),
      }),
    code: invalid,
    says: /says it is/,
  },
  {
    title: "nothing but what is no image",
    make: () => withOci({ describe: (one) => ({ ...one, mediaType: "application/vnd.example+json" }) }),
    code: invalid,
    says: /there is no image in it/,
  },
  {
    title: "a manifest of schema 1",
    make: () => withOci({ manifest: (manifest) => ({ ...manifest, schemaVersion: 1 }) }),
    code: invalid,
    says: /schemaVersion: expected 2/,
  },
  {
    title: "a layer of another type",
    make: () => withOci({ layerType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip" }),
    code: "Unsupported",
    says: /helm/,
  },
  {
    title: "a config of another type",
    make: () =>
      withOci({
        manifest: (manifest) => ({
          ...manifest,
          config: { ...manifest.config, mediaType: "application/vnd.cncf.helm.config.v1+json" },
        }),
      }),
    code: "Unsupported",
    says: /helm/,
  },
];

refuses(wrongBytes);
