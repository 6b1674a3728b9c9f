import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { LoadOptions } from "@strata/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compressors } from "./support/compress.ts";
import { imageOf, layerOf, type TestImage } from "./support/image.ts";
import { type DockerItem, docker20, type OciOptions, oci } from "./support/layouts.ts";
import { drivers, listing, type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { type Member, tarOf } from "./support/tar.ts";

interface Attack {
  readonly title: string;
  /** The archive: its members, or its bytes. */
  make(): Promise<readonly Member[] | Buffer>;
  readonly code: string;
  readonly says: RegExp;
  readonly options?: LoadOptions;
}

const layers = [{ a: "1", "dir/b": "2".repeat(5000) }, { c: "3" }];
const good = (): Promise<TestImage> => imageOf(layers);

/** An archive of docker's in which the member named by `which` is another. */
async function withMember(which: RegExp, member: Partial<Member>): Promise<Member[]> {
  const members = docker20([{ image: await good(), tags: ["hostile:1"] }]);
  return members.map((one) => (which.test(one.name) ? { ...one, ...member } : one));
}

async function withList(change: (items: DockerItem[]) => unknown): Promise<Member[]> {
  return docker20([{ image: await good(), tags: ["hostile:1"] }], change);
}

async function withItem(change: object): Promise<Member[]> {
  return await withList(([item]) => [{ ...item, ...change }]);
}

async function withConfig(change: object): Promise<Member[]> {
  const document = JSON.parse((await good()).config.toString());
  return await withMember(/^[0-9a-f]{64}\.json$/, { content: JSON.stringify({ ...document, ...change }) });
}

async function withOci(options: OciOptions): Promise<Member[]> {
  return oci([{ image: await good(), tags: ["hostile:1"] }], options);
}

/** An archive of OCI's in which blobs are changed, though not their names. */
async function withBlobs(
  change: (content: Buffer, json: string) => Uint8Array | undefined,
): Promise<Member[]> {
  return (await withOci({})).flatMap((member) => {
    if (!member.name.startsWith("blobs/")) return [member];
    const content = Buffer.from(member.content ?? "");
    const changed = change(content, content.toString());
    return changed ? [{ ...member, content: changed }] : [];
  });
}

function link(linkname: string, type: "symlink" | "link" = "symlink"): Partial<Member> {
  return { header: { name: "layer.tar", type, linkname } };
}

async function withLayer(...headers: Parameters<typeof layerOf>): Promise<Member[]> {
  return docker20([{ image: await imageOf([await layerOf(...headers)]), tags: ["hostile:1"] }]);
}

const invalid = "InvalidArgument";
const firstLayer = /layer\.tar$/;

const notArchives: Attack[] = [
  { title: "nothing", make: async () => Buffer.alloc(0), code: invalid, says: /unexpected EOF/ },
  { title: "a few bytes", make: async () => Buffer.from("junk"), code: invalid, says: /unexpected EOF/ },
  {
    title: "a lot of text",
    make: async () => Buffer.alloc(9999, "junk"),
    code: invalid,
    says: /unexpected EOF/,
  },
  { title: "zeros", make: async () => Buffer.alloc(10_240), code: invalid, says: /unexpected EOF/ },
  {
    title: "a tar of other things",
    make: () => tarOf([{ name: "x" }]),
    code: invalid,
    says: /neither manifest/,
  },
  {
    title: "an archive of docker before 1.10",
    make: () =>
      tarOf([
        { name: "repositories", content: "{}" },
        { name: "abc/json", content: "{}" },
      ]),
    code: invalid,
    says: /before 1\.10/,
  },
  {
    title: "an archive cut off in a layer",
    make: async () => (await tarOf(await withList((items) => items))).subarray(0, 5000),
    code: invalid,
    says: /unexpected EOF|in the middle/,
  },
  {
    title: "an archive cut off in a header",
    make: async () => (await tarOf(await withList((items) => items))).subarray(0, 700),
    code: invalid,
    says: /in the middle/,
  },
];

const documents: Attack[] = [
  {
    title: "a list that is not JSON",
    make: () => withMember(/^manifest/, { content: "{" }),
    says: /not valid JSON/,
  },
  {
    title: "a list that is not UTF-8",
    make: () => withMember(/^manifest/, { content: Buffer.from('["\xff"]', "latin1") }),
    says: /manifest\.json: not valid JSON/,
  },
  {
    title: "an object for a list",
    make: () => withList(() => ({})),
    says: /manifest\.json: expected a list of images/,
  },
  {
    title: "a list of numbers",
    make: () => withList(() => [1]),
    says: /manifest\.json: 0: expected an image/,
  },
  { title: "an empty list", make: () => withList(() => []), says: /no image/ },
  {
    title: "a config that is a number",
    make: () => withItem({ Config: 7 }),
    says: /0\.Config: expected a text/,
  },
  {
    title: "layers that are no list",
    make: () => withItem({ Layers: "a" }),
    says: /0\.Layers: expected a list/,
  },
  {
    title: "a giant list",
    make: () => withList(() => "x".repeat(5 * 2 ** 20)),
    says: /more than such a document/,
  },
  {
    title: "a config outside",
    make: () => withItem({ Config: "../../etc/passwd" }),
    says: /leads out of the archive/,
  },
  {
    title: "an absolute config",
    make: () => withItem({ Config: "/etc/passwd" }),
    says: /leads out of the archive/,
  },
  {
    title: "a config with a NUL",
    make: () => withItem({ Config: "a\0b" }),
    says: /leads out of the archive/,
  },
  {
    title: "a layer outside",
    make: () => withItem({ Layers: ["a/../../b"] }),
    says: /leads out of the archive/,
  },
  {
    title: "a layer that is not there",
    make: () => withItem({ Layers: ["x"] }),
    says: /there is no "x" in it/,
  },
  {
    title: "too few layers",
    make: () => withList(([item]) => [{ ...item, Layers: item?.Layers.slice(1) }]),
    says: /2 layers, its manifest 1/,
  },
  { title: "a bad tag", make: () => withItem({ RepoTags: ["Upper:1"] }), says: /invalid reference format/ },
  {
    title: "a tag with a path",
    make: () => withItem({ RepoTags: ["../x:1"] }),
    says: /invalid reference format/,
  },
  {
    title: "a config without layers",
    make: () => withConfig({ rootfs: undefined }),
    says: /rootfs: expected/,
  },
  {
    title: "another kind of rootfs",
    make: () => withConfig({ rootfs: { type: "x" } }),
    says: /rootfs\.type: expected/,
  },
  {
    title: "a DiffID that is a path",
    make: () => withConfig({ rootfs: { type: "layers", diff_ids: ["sha256:../../x", "y"] } }),
    says: /diff_ids\.0: expected a sha256 digest/,
  },
].map((attack) => ({ ...attack, code: invalid }));

const members: Attack[] = [
  {
    title: "a member outside",
    make: () => withMember(/VERSION$/, { name: "../x" }),
    says: /leads out of the archive/,
  },
  {
    title: "a layer that is a link out",
    make: () => withMember(firstLayer, link("../../../../etc/passwd")),
    says: /leads out/,
  },
  {
    title: "a layer that is an absolute link",
    make: () => withMember(firstLayer, link("/etc/passwd")),
    says: /leads out/,
  },
  {
    title: "a layer that is a hardlink out",
    make: () => withMember(firstLayer, link("../../etc/passwd", "link")),
    says: /leads out/,
  },
  {
    title: "a list that is a link out",
    make: () =>
      withMember(/^manifest/, { header: { name: "manifest.json", type: "symlink", linkname: "../x" } }),
    says: /leads out/,
  },
  { title: "links in a circle", make: () => withMember(firstLayer, link("layer.tar")), says: /in a circle/ },
  {
    title: "a layer that is a directory",
    make: () => withMember(firstLayer, { header: { name: "x", type: "directory" } }),
    says: /there is no/,
  },
].map((attack) => ({ ...attack, code: invalid }));

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

const greedy: Attack[] = [
  {
    title: "a bomb for an archive",
    make: async () =>
      compressors["gzip"]?.(await tarOf([{ name: "a", content: Buffer.alloc(80 * 2 ** 20) }])) ??
      Buffer.alloc(0),
    code: invalid,
    says: /maxRatio/,
  },
  {
    title: "a bomb for a layer",
    make: () => withMember(firstLayer, { content: compressors["gzip"]?.(Buffer.alloc(80 * 2 ** 20)) ?? "" }),
    code: invalid,
    says: /maxRatio/,
  },
  {
    title: "too many bytes",
    make: () => withLayer({ big: "x".repeat(9999) }),
    code: invalid,
    says: /maxBytes/,
    options: { limits: { maxBytes: 9000 } },
  },
  {
    title: "too many entries",
    make: () => withLayer(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, ""]))),
    code: invalid,
    says: /maxEntries/,
    options: { limits: { maxEntries: 15 } },
  },
  {
    title: "too many members",
    make: async () => tarOf(Array.from({ length: 20 }, (_, n) => ({ name: `f${n}` }))),
    code: invalid,
    says: /maxEntries/,
    options: { limits: { maxEntries: 15 } },
  },
  {
    title: "a path too deep",
    make: () => withLayer({ "a/b/c/d/e/f": "" }),
    code: invalid,
    says: /maxDepth/,
    options: { limits: { maxDepth: 4 } },
  },
  {
    title: "a giant header",
    make: () => withLayer({}, [{ name: "x", pax: { comment: "c".repeat(2 ** 20) } }]),
    code: invalid,
    says: /maxHeaderBytes/,
  },
  {
    title: "a layer that goes outside",
    make: () => withLayer({ "../../../../victim": "pwned" }),
    code: invalid,
    says: /\.\./,
  },
  {
    title: "a layer with a hardlink to nothing",
    make: () => withLayer({}, [{ name: "x", type: "link", linkname: "/nowhere" }]),
    code: invalid,
    says: /nowhere/,
  },
];

const damaged: Attack[] = Object.entries(compressors)
  .filter(([name]) => name !== "none")
  .flatMap(([name, compress]): Attack[] => [
    {
      title: `${name} cut off`,
      make: async () => compress(await tarOf(await withList((items) => items))).subarray(0, -20),
      code: "Corrupt",
      says: new RegExp(name),
    },
    {
      title: `a layer of ${name} cut off`,
      make: async () => {
        const image = await good();
        return withMember(firstLayer, {
          content: compress(image.layers[0] ?? Buffer.alloc(0)).subarray(0, -20),
        });
      },
      code: "Corrupt",
      says: new RegExp(name),
    },
  ]);

const attacks = [...notArchives, ...documents, ...members, ...wrongBytes, ...greedy, ...damaged];

describe.each(drivers)("under %s, load refuses", (driver) => {
  let scratch: Scratch;
  let opened: OpenedStore;

  beforeAll(async () => {
    scratch = await Scratch.make();
    opened = await openStore(scratch.join("store"), driver);
    await writeFile(scratch.join("victim"), "untouched");
    // An image that is in the store before, and must stay.
    const other = docker20([{ image: await imageOf([{ other: "1" }]), tags: ["other:1"] }]);
    await writeFile(scratch.join("archive"), await tarOf(other));
    await opened.store.load(scratch.join("archive"));
  });

  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  it.each(attacks)("$title, and leaves nothing behind", async ({ make, code, says, options }) => {
    const made = await make();
    await writeFile(scratch.join("archive"), Buffer.isBuffer(made) ? made : await tarOf(made));
    const before = await listing(scratch.path);
    for (const source of [scratch.join("archive"), createReadStream(scratch.join("archive"))]) {
      await expect(opened.store.load(source, options)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(says),
      });
      await opened.driver.cleanup();
      expect(await listing(scratch.path)).toEqual(before);
    }
    expect(await treeOf(opened, "other:1")).toEqual({ other: "1" });
  });
});
