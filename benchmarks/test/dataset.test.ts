import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { missingFacilities, Scratch } from "@strata/conformance/suite";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageLayout } from "../src/dataset/image.ts";
import { layerArchive } from "../src/dataset/layers.ts";
import { type TreeSpec, writeTree } from "../src/dataset/tree.ts";

const mixed: TreeSpec = { shape: "mixed", files: 120, bytes: 500_000, compressible: true };

let scratch: Scratch;

beforeEach(() => {
  scratch = new Scratch();
});

afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

/** What is below a directory. */
function walk(directory: string) {
  const all = readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) => ({
    path: join(entry.parentPath, entry.name),
    entry,
  }));
  const files = all.filter(({ entry }) => entry.isFile()).map(({ path }) => ({ path, stat: statSync(path) }));
  const unique = [...new Map(files.map((file) => [file.stat.ino, file])).values()];
  const symlinks = all.filter(({ entry }) => entry.isSymbolicLink()).map(({ path }) => path);
  return { files, unique, symlinks, directories: all.filter(({ entry }) => entry.isDirectory()) };
}

/** Give the image of a layout each of its layers twice. */
function repeatLayers(layout: string): void {
  const path = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
  const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));
  const write = (document: unknown) => {
    const bytes = Buffer.from(JSON.stringify(document));
    writeFileSync(path(sha256(bytes)), bytes);
    return { digest: sha256(bytes), size: bytes.length };
  };
  const index = read(join(layout, "index.json"));
  const manifest = read(path(index.manifests[0].digest));
  const config = read(path(manifest.config.digest));
  config.rootfs.diff_ids = [...config.rootfs.diff_ids, ...config.rootfs.diff_ids];
  manifest.layers = [...manifest.layers, ...manifest.layers];
  Object.assign(manifest.config, write(config));
  Object.assign(index.manifests[0], write(manifest));
  writeFileSync(join(layout, "index.json"), JSON.stringify(index));
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

describe("a tree", () => {
  it.each(["small", "large", "mixed"] as const)(
    "has the files and bytes that are asked for: %s",
    async (shape) => {
      await writeTree(scratch.join("tree"), { ...mixed, shape, files: 40, bytes: 1_234_567 }, 7);
      const { unique } = walk(scratch.join("tree"));
      expect(unique).toHaveLength(40);
      expect(unique.reduce((sum, { stat }) => sum + stat.size, 0)).toBe(1_234_567);
    },
  );

  it("of a distribution has directories of some depth, links of both kinds, and programs", async () => {
    await writeTree(scratch.join("tree"), mixed, 1);
    const { files, unique, symlinks, directories } = walk(scratch.join("tree"));
    expect(directories.length).toBeGreaterThan(20);
    expect(Math.max(...files.map(({ path }) => path.split("/").length))).toBeGreaterThan(
      scratch.join("tree").split("/").length + 5,
    );
    expect(files.length).toBeGreaterThan(unique.length);
    expect(symlinks.length).toBeGreaterThan(5);
    for (const path of symlinks)
      expect(statSync(join(dirname(path), readlinkSync(path))).isFile()).toBe(true);
    expect(new Set(unique.map(({ stat }) => stat.mode & 0o777))).toEqual(new Set([0o644, 0o755]));
  });

  it("of a node_modules has mostly small files, and a few large ones", async () => {
    await writeTree(scratch.join("tree"), { ...mixed, shape: "small", files: 500, bytes: 1_500_000 }, 1);
    const sizes = walk(scratch.join("tree")).unique.map(({ stat }) => stat.size);
    const median = sizes.sort((a, b) => a - b)[250] ?? 0;
    expect(median).toBeGreaterThan(300);
    expect(median).toBeLessThan(1500);
    expect(sizes.at(-1)).toBeGreaterThan(20_000);
  });

  it.each([
    { compressible: true, least: 2.4, most: 3.6 },
    { compressible: false, least: 0.99, most: 1 },
  ])("is for gzip what is asked for: $compressible", async ({ compressible, least, most }) => {
    const spec: TreeSpec = { shape: "large", files: 2, bytes: 1_500_000, compressible };
    await writeTree(scratch.join("tree"), spec, 1);
    const bytes = Buffer.concat(walk(scratch.join("tree")).unique.map(({ path }) => readFileSync(path)));
    const ratio = bytes.length / gzipSync(bytes).length;
    expect(ratio).toBeGreaterThan(least);
    expect(ratio).toBeLessThan(most);
  });
});

describe("the archive of a layer", () => {
  it("is the same for the same seed, and another for another", async () => {
    const make = (datasets: string, seed: number) =>
      layerArchive({ datasets: scratch.join(datasets), seed }, mixed, "none");
    const [first, second, other] = [await make("a", 1), await make("b", 1), await make("c", 2)];
    expect(second.digest).toBe(first.digest);
    expect(other.digest).not.toBe(first.digest);
  });

  it("says what is in it", async () => {
    const context = { datasets: scratch.join("datasets"), seed: 1 };
    const layer = await layerArchive(context, mixed, "gzip");
    const bytes = readFileSync(layer.path);
    expect(layer.bytes).toBe(bytes.length);
    expect(layer.digest).toBe(sha256(bytes));
    expect(layer.diffId).toBe(sha256(gunzipSync(bytes)));
    const listed = execFileSync("tar", ["-tzf", layer.path], { encoding: "utf8" }).trimEnd().split("\n");
    expect(layer.files).toBe(listed.length);
    expect(layer.contentBytes).toBe(mixed.bytes);
  });

  it.skipIf(missingFacilities(["zstd"]).length > 0)("holds the same in each compression", async () => {
    const context = { datasets: scratch.join("datasets"), seed: 1 };
    const all = await Promise.all(
      (["none", "gzip", "zstd"] as const).map((compression) => layerArchive(context, mixed, compression)),
    );
    expect(new Set(all.map(({ diffId }) => diffId)).size).toBe(1);
    expect(new Set(all.map(({ digest }) => digest)).size).toBe(3);
    expect(execFileSync("zstd", ["-lq", all[2]?.path ?? ""], { encoding: "utf8" })).toContain(".tar.zst");
  });

  it("is made once, and nothing else stays", async () => {
    const context = { datasets: scratch.join("datasets"), seed: 1 };
    const first = await layerArchive(context, mixed, "gzip");
    const { ino } = statSync(first.path);
    expect(await layerArchive(context, mixed, "gzip")).toEqual(first);
    expect(statSync(first.path).ino).toBe(ino);
    expect(readdirSync(context.datasets).filter((name) => !name.startsWith("mixed-"))).toEqual([]);
  });

  it.each(["none", "gzip"] as const)(
    "is not made to its end when that is aborted: %s",
    async (compression) => {
      const abort = new AbortController();
      const context = { datasets: scratch.join("datasets"), seed: 1, signal: abort.signal };
      const made = layerArchive(context, { ...mixed, bytes: 60_000_000 }, compression);
      // What writes the tree does not wait for anything.
      setTimeout(() => abort.abort(new Error("enough")), 1);
      await expect(made).rejects.toMatchObject({ cause: { message: "enough" } });
      expect(readdirSync(context.datasets)).toEqual([]);
    },
  );
});

describe("the layout of an image", () => {
  const layers = [mixed, mixed, { ...mixed, shape: "small" }] as const;

  /** The DiffIDs of the image that a store finds in a layout. */
  async function load(layout: string, reference: string): Promise<readonly string[]> {
    const root = scratch.join("store");
    mkdirSync(root);
    await using driver = await vfs({ root: join(root, "driver"), durability: "none" });
    await using store = await Store.open({ root, driver, durability: "none" });
    const ignoreOwnership = !driver.capabilities.ownership.supported;
    await store.load(layout, { ignoreOwnership });
    return (await store.resolve(reference)).diffIds;
  }

  it("can be loaded, and no two of its layers are alike", async () => {
    const context = { datasets: scratch.join("datasets"), seed: 1 };
    const image = await imageLayout(context, { layers, compression: "gzip" });
    const diffIds = image.layers.map(({ diffId }) => diffId);
    expect(await load(image.layout, image.reference)).toEqual(diffIds);
    expect(new Set(diffIds).size).toBe(3);
    expect(image.bytes).toBe(1_500_000);
  });

  it("of an archive has its layers, as they are or in another compression", async () => {
    const made = await imageLayout(
      { datasets: scratch.join("made"), seed: 1 },
      { layers, compression: "gzip" },
    );
    const context = { datasets: scratch.join("datasets"), seed: 1, archive: made.layout };
    const kept = await imageLayout(context, { layers: [], compression: "gzip" });
    expect(kept.layers.map(({ digest }) => digest)).toEqual(made.layers.map(({ digest }) => digest));
    const raw = await imageLayout(context, { layers: [], compression: "none" });
    expect(raw.layers.map(({ digest }) => digest)).toEqual(made.layers.map(({ diffId }) => diffId));
    expect(await load(raw.layout, raw.reference)).toEqual(made.layers.map(({ diffId }) => diffId));
  });

  it("of an archive may have the same layer twice", async () => {
    const context = { datasets: scratch.join("made"), seed: 1 };
    const once = await imageLayout(context, { layers: [mixed], compression: "gzip" });
    const twice = scratch.join("twice");
    cpSync(once.layout, twice, { recursive: true });
    repeatLayers(twice);
    const image = await imageLayout({ ...context, archive: twice }, { layers: [], compression: "gzip" });
    const [digest] = once.layers.map((layer) => layer.digest);
    expect(image.layers.map((layer) => layer.digest)).toEqual([digest, digest]);
  });
});
