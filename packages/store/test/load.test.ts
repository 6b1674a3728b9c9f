import { createReadStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LayerProgress, ProgressEvent } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compressors } from "./support/compress.ts";
import { imageOf, sha256, type TestImage } from "./support/image.ts";
import {
  blobMember,
  descriptorOf,
  docker20,
  docker25,
  type Named,
  oci,
  ociBlobs,
  ociFiles,
  podman,
} from "./support/layouts.ts";
import { drivers, type OpenedStore, openStore, Scratch, treeOf } from "./support/store.ts";
import { type Member, tarOf } from "./support/tar.ts";

const layouts: Readonly<Record<string, (named: readonly Named[]) => Member[]>> = {
  "docker 20.10": docker20,
  "docker 25": docker25,
  podman,
  OCI: oci,
};

const tree = { "etc/os-release": "strata\n", "usr/bin/a": "a, changed", "usr/share/b": "b" };

async function sampleImage(): Promise<TestImage> {
  const layers = [
    { "etc/": "", "etc/os-release": "strata\n", "usr/bin/a": "a" },
    { "usr/bin/a": "a, changed", "usr/bin/gone": "x" },
    { "usr/share/b": "b", "usr/bin/.wh.gone": "" },
  ];
  return await imageOf(layers, { config: { Cmd: ["/usr/bin/a"], Labels: { tier: "test" } } });
}

let scratch: Scratch;
let opened: OpenedStore;

beforeEach(async () => {
  scratch = await Scratch.make();
  opened = await openStore(scratch.join("store"));
});

afterEach(async () => {
  await opened[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

async function archive(members: readonly Member[], compression = "none"): Promise<string> {
  const path = scratch.join("archive");
  await writeFile(path, compressors[compression]?.(await tarOf(members)) ?? "");
  return path;
}

describe.each(drivers)("load under %s", (driver) => {
  it.each(Object.keys(layouts))("takes an archive of %s", async (layout) => {
    await using other = await openStore(scratch.join("other"), driver);
    const image = await sampleImage();
    const path = await archive(layouts[layout]?.([{ image, tags: ["sample:1"] }]) ?? []);
    const [loaded, ...more] = await other.store.load(path);
    expect(more).toEqual([]);
    expect(loaded).toMatchObject({ id: image.id, references: ["docker.io/library/sample:1"], replaced: [] });
    expect(await treeOf(other, "sample:1")).toEqual(tree);
  });

  it("gives an image of no layers an empty tree", async () => {
    await using other = await openStore(scratch.join("other"), driver);
    const image = await imageOf([]);
    await other.store.load(await archive(docker20([{ image, tags: ["empty:1"] }])));
    expect(await treeOf(other, "empty:1")).toEqual({});
  });

  it("refuses a chain that is too long for a container on top", async () => {
    await using other = await openStore(scratch.join("other"), driver);
    const { maxDepth } = other.driver.capabilities;
    if (maxDepth > 10_000) return;
    const image = await imageOf(Array.from({ length: maxDepth }, () => ({ a: "1" })));
    await expect(other.store.load(await archive(docker20([{ image }])))).rejects.toMatchObject({
      code: "DepthExceeded",
      message: expect.stringContaining(`has ${maxDepth} layers`),
    });
  });

  it("takes a layer that an image has three times, once by its bytes", async () => {
    await using other = await openStore(scratch.join("other"), driver);
    const image = await imageOf([{ a: "1" }, { b: "2" }, { a: "1" }, { a: "1" }]);
    await other.store.load(await archive(docker20([{ image, tags: ["twice:1"] }])));
    expect(await treeOf(other, "twice:1")).toEqual({ a: "1", b: "2" });
  });
});

describe("an archive", () => {
  it.each(Object.keys(compressors))(
    "compressed with %s is read from a file and from a stream",
    async (compression) => {
      const image = await sampleImage();
      const path = await archive(docker20([{ image, tags: ["sample:1"] }]), compression);
      expect(await opened.store.load(path)).toMatchObject([{ id: image.id }]);
      await using other = await openStore(scratch.join("other"));
      expect(await other.store.load(createReadStream(path))).toMatchObject([{ id: image.id }]);
      expect(await treeOf(opened, "sample:1")).toEqual(await treeOf(other, "sample:1"));
    },
  );

  it.each(Object.keys(layouts))("of %s is read with its members in any order", async (layout) => {
    const image = await sampleImage();
    const members = layouts[layout]?.([{ image, tags: ["sample:1"] }]) ?? [];
    await opened.store.load(await archive(members.toReversed()));
    const rotated = [...members.slice(3), ...members.slice(0, 3)];
    await using other = await openStore(scratch.join("other"));
    expect(await other.store.load(await archive(rotated, "gzip"))).toMatchObject([{ id: image.id }]);
    expect(await treeOf(opened, "sample:1")).toEqual(tree);
  });

  it("may begin its members' names with ./ and hold directories", async () => {
    const image = await sampleImage();
    const members = docker20([{ image, tags: ["sample:1"] }]).map((member) => ({
      ...member,
      name: `./${member.name}`,
    }));
    expect(await opened.store.load(await archive([{ name: "./" }, ...members]))).toMatchObject([
      { id: image.id },
    ]);
  });

  it.each(Object.keys(compressors))("may hold layers compressed with %s", async (compression) => {
    const image = await sampleImage();
    const compress = compressors[compression] ?? ((bytes: Buffer) => bytes);
    const members = docker20([{ image, tags: ["sample:1"] }]).map((member) =>
      member.name.endsWith("layer.tar") && member.content
        ? { ...member, content: compress(Buffer.from(member.content)) }
        : member,
    );
    expect(await opened.store.load(await archive(members))).toMatchObject([{ id: image.id }]);
    expect(await treeOf(opened, "sample:1")).toEqual(tree);
    const { manifest } = await opened.store.resolve("sample:1");
    // OCI has no media type for the others, and another program must be able to read the store.
    const kept = compression === "gzip" || compression === "zstd" ? `.tar+${compression}` : ".tar";
    for (const layer of manifest.layers) expect(layer.mediaType.endsWith(kept)).toBe(true);
  });

  it("gives several images, which share layers", async () => {
    const base = { shared: "base" };
    const [one, two] = [await imageOf([base, { one: "1" }]), await imageOf([base, { two: "2" }])];
    const path = await archive(docker20([{ image: one, tags: ["a:1", "b:2"] }, { image: two }]));
    const loaded = await opened.store.load(path);
    expect(loaded.map(({ id, references }) => ({ id, references }))).toEqual([
      { id: one.id, references: ["docker.io/library/a:1", "docker.io/library/b:2"] },
      { id: two.id, references: [] },
    ]);
    expect(await treeOf(opened, "b:2")).toEqual({ shared: "base", one: "1" });
    expect(await treeOf(opened, two.id)).toEqual({ shared: "base", two: "2" });
  });

  it("keeps the manifest that it came with, and its digest", async () => {
    const image = await sampleImage();
    const manifest = ociBlobs(image).at(-1) ?? Buffer.alloc(0);
    await opened.store.load(await archive(oci([{ image, tags: ["docker.io/library/sample:1"] }])));
    const record = await opened.store.resolve("sample:1");
    expect(record.manifestBytes.equals(manifest)).toBe(true);
    expect(record.id).toBe(image.id);
  });

  it("of docker 25 is named by both of its documents", async () => {
    const image = await sampleImage();
    const members = docker25([{ image, tags: ["sample:1", "sample:2"] }]);
    const [loaded] = await opened.store.load(await archive(members));
    expect(loaded?.references.toSorted()).toEqual([
      "docker.io/library/sample:1",
      "docker.io/library/sample:2",
    ]);
  });

  it("without a name that is a reference gives an image without a name", async () => {
    const image = await sampleImage();
    expect(await opened.store.load(await archive(oci([{ image, tags: ["Not a Reference"] }])))).toMatchObject(
      [{ id: image.id, references: [] }],
    );
  });

  it("can be a directory", async () => {
    const image = await sampleImage();
    for (const { name, content = "" } of oci([{ image, tags: ["sample:1"] }])) {
      await mkdir(dirname(scratch.join("layout", name)), { recursive: true });
      await writeFile(scratch.join("layout", name), content);
    }
    expect(await opened.store.load(scratch.join("layout"))).toMatchObject([{ id: image.id }]);
    expect(await treeOf(opened, "sample:1")).toEqual(tree);
  });
});

describe("an index", () => {
  const platforms = [
    { architecture: "amd64" },
    { architecture: "arm64", variant: "v8" },
    { architecture: "arm", variant: "v6" },
    { architecture: "s390x" },
  ];

  async function multiPlatform(depth = 1, offered = platforms): Promise<Member[]> {
    const members = new Map<string, Member>();
    const add = (bytes: Buffer): void => {
      const member = blobMember(bytes);
      members.set(member.name, member);
    };
    let entries: object[] = [];
    for (const platform of offered) {
      const image = await imageOf([{ arch: JSON.stringify(platform) }], { platform });
      const blobs = ociBlobs(image);
      blobs.forEach(add);
      const manifest = blobs.at(-1) ?? Buffer.alloc(0);
      entries.push({
        ...descriptorOf(manifest, "application/vnd.oci.image.manifest.v1+json"),
        platform: { os: "linux", ...platform },
      });
    }
    // What buildkit adds to say how an image was made.
    const attestation = await imageOf([{ provenance: "{}" }], {
      platform: { os: "unknown", architecture: "unknown" },
    });
    const blobs = ociBlobs(attestation);
    blobs.forEach(add);
    entries.push({
      ...descriptorOf(blobs.at(-1) ?? Buffer.alloc(0), "application/vnd.oci.image.manifest.v1+json"),
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    });
    for (let level = 0; level < depth; level += 1) {
      const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: entries }));
      add(index);
      entries = [descriptorOf(index, "application/vnd.oci.image.index.v1+json")];
    }
    const annotations = { "org.opencontainers.image.ref.name": "multi:1" };
    return [...members.values(), ...ociFiles(entries.map((entry) => ({ ...entry, annotations })))];
  }

  it.each([
    ["linux/amd64", "amd64"],
    ["linux/x86_64", "amd64"],
    ["linux/arm64", "arm64"],
    ["linux/aarch64", "arm64"],
    ["linux/arm/v6", "arm"],
    // A v7 runs what was built for v6.
    ["linux/arm/v7", "arm"],
    ["linux/s390x", "s390x"],
  ])("gives the image for %s", async (platform, architecture) => {
    const [loaded] = await opened.store.load(await archive(await multiPlatform()), { platform });
    expect(loaded?.references).toEqual(["docker.io/library/multi:1"]);
    expect((await opened.store.resolve("multi:1")).config.architecture).toBe(architecture);
  });

  it("gives the host's image by default, from nested indexes too", async () => {
    await opened.store.load(await archive(await multiPlatform(3)));
    const { architecture } = (await opened.store.resolve("multi:1")).config;
    expect(architecture).toBe(process.arch === "x64" ? "amd64" : process.arch);
  });

  it("with one image and an attestation gives that image, whatever it runs on", async () => {
    await opened.store.load(await archive(await multiPlatform(1, [{ architecture: "s390x" }])));
    expect((await opened.store.resolve("multi:1")).config.architecture).toBe("s390x");
  });

  it.each(["linux/riscv64", "windows/amd64", "linux/arm/v5"])(
    "without an image for %s says so",
    async (platform) => {
      await expect(
        opened.store.load(await archive(await multiPlatform()), { platform }),
      ).rejects.toMatchObject({
        code: "NotFound",
        message: `no matching manifest for ${platform} in the manifest list entries`,
      });
    },
  );

  it("nested without end is refused", async () => {
    await expect(opened.store.load(await archive(await multiPlatform(12)))).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("nested"),
    });
  });
});

it("says how far each layer is, and which image came of it", async () => {
  const image = await sampleImage();
  const events: ProgressEvent[] = [];
  await opened.store.load(await archive(docker20([{ image, tags: ["sample:1"] }])), {
    onProgress: (event) => events.push(event),
  });
  expect(events.at(-1)).toEqual({ kind: "image", id: image.id, references: ["docker.io/library/sample:1"] });
  for (const [index, diffId] of image.diffIds.entries()) {
    const own = events.filter((event) => event.kind === "layer" && event.diffId === diffId);
    const bytes = image.layers[index]?.length;
    const label = diffId.slice(7, 19);
    const about = { kind: "layer", diffId, label, totalBytes: bytes };
    expect(own[0]).toEqual({ ...about, status: "waiting", bytes: 0 });
    expect(own.at(-1)).toEqual({ ...about, status: "done", bytes });
  }
});

describe("loading again", () => {
  it("reads nothing twice", async () => {
    const image = await sampleImage();
    const path = await archive(docker20([{ image, tags: ["sample:1"] }]));
    await opened.store.load(path);
    const events: LayerProgress[] = [];
    await opened.store.load(path, {
      onProgress: (event) => {
        if (event.kind === "layer") events.push(event);
      },
    });
    expect(events.map(({ status }) => status)).toEqual(["exists", "exists", "exists"]);
  });

  it("of the same image as other blobs keeps the first manifest, unless the second has its own", async () => {
    const image = await sampleImage();
    await opened.store.load(await archive(oci([{ image, tags: ["sample:oci"] }])));
    const { digest } = await opened.store.resolve("sample:oci");
    await opened.store.load(await archive(docker20([{ image, tags: ["sample:docker"] }])));
    expect((await opened.store.resolve("sample:docker")).digest).toBe(digest);
    await opened.store.load(await archive(docker25([{ image, tags: ["sample:25"] }])));
    const other = await opened.store.resolve("sample:25");
    expect(other.digest).not.toBe(digest);
    expect(other.id).toBe(image.id);
  });

  it("moves a tag, and says from which image", async () => {
    const [old, young] = [await imageOf([{ a: "old" }]), await imageOf([{ a: "young" }])];
    await opened.store.load(await archive(docker20([{ image: old, tags: ["t1:latest"] }])));
    const [loaded] = await opened.store.load(
      await archive(docker20([{ image: young, tags: ["t1:latest"] }])),
    );
    expect(loaded?.replaced).toEqual([{ reference: "docker.io/library/t1:latest", id: old.id }]);
    expect((await opened.store.resolve(old.id)).references).toEqual([]);
    expect(await treeOf(opened, "t1")).toEqual({ a: "young" });
  });

  it("writes a blob anew that a power cut left empty", async () => {
    const image = await sampleImage();
    const path = await archive(docker20([{ image, tags: ["sample:1"] }]));
    await opened.store.load(path);
    const { manifest } = await opened.store.resolve("sample:1");
    const blob = join(opened.root, "blobs/sha256", manifest.layers[0]?.digest.slice(7) ?? "");
    await writeFile(blob, "");
    await opened.store.load(path);
    await using other = await openStore(scratch.join("other"));
    expect(await other.store.load(opened.root)).toMatchObject([{ id: image.id }]);
  });

  it("under another driver writes a blob anew that was damaged", async () => {
    const image = await sampleImage();
    const path = await archive(oci([{ image, tags: ["sample:1"] }]));
    await opened.store.load(path);
    const { manifest } = await opened.store.resolve("sample:1");
    const blob = join(opened.root, "blobs/sha256", manifest.layers[0]?.digest.slice(7) ?? "");
    await writeFile(blob, Buffer.alloc(manifest.layers[0]?.size ?? 0, "x"));
    await rm(join(opened.root, "drivers"), { recursive: true });
    await using other = await openStore(opened.root);
    await other.store.load(path);
    expect(await treeOf(other, "sample:1")).toEqual(tree);
    expect(sha256(await readFile(blob))).toBe(manifest.layers[0]?.digest);
  });

  it("at the same time, from several sides, gives one image", async () => {
    const image = await sampleImage();
    const path = await archive(docker20([{ image, tags: ["sample:1"] }]));
    await using second = await openStore(opened.root);
    const loads = [opened, second, opened].map(({ store }) => store.load(path));
    for (const [loaded] of await Promise.all(loads)) expect(loaded?.id).toBe(image.id);
    expect(await treeOf(opened, "sample:1")).toEqual(tree);
    expect(await opened.store.images()).toHaveLength(1);
  });
});
