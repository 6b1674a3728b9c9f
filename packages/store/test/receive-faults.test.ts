import { randomBytes } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { FullDisk } from "@strata/conformance/suite";
import type { RemoteImage } from "@strata/store";
import { describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { inPieces, Remote, type Way } from "./support/remote.ts";
import { allDrivers, type DriverName, drivers, openStore, Scratch, treeOf } from "./support/store.ts";
import { contentOf, expectUnchanged } from "./support/whole.ts";

const reference = "registry.test/sample:1";
const random = (bytes: number): string => randomBytes(bytes / 2).toString("hex");
const files = [{ base: random(60_000) }, { upper: random(90_000) }, { top: "top" }];
const tree = Object.assign({}, ...files);

/** Something done to one layer; the others come as they are. */
function toLayer(remote: Remote, layer: number, way: Way): Way {
  return (bytes, asked, signal) =>
    asked.digest === remote.layers[layer] ? way(bytes, asked, signal) : inPieces()(bytes, asked, signal);
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

interface Fault {
  readonly title: string;
  readonly way: Way;
  readonly error: object;
  /** Whether what came is kept for the next time. */
  readonly isKept?: boolean;
}

const faults: readonly Fault[] = [
  {
    title: "wrong bytes",
    way: (bytes) => [flipped(bytes, bytes.length >> 1)],
    error: { code: "Corrupt", message: expect.stringMatching(/digest|damaged/) },
  },
  {
    title: "a wrong last byte",
    way: (bytes) => [flipped(bytes, bytes.length - 1)],
    error: { code: "Corrupt" },
  },
  {
    title: "no archive at all",
    way: (bytes) => [Buffer.alloc(bytes.length, "<html>")],
    error: { code: "Corrupt", message: expect.stringContaining("digest") },
  },
  {
    title: "too many bytes",
    way: (bytes) => [bytes, Buffer.from("x")],
    error: { code: "Corrupt", message: expect.stringContaining("more bytes") },
  },
  {
    title: "too few bytes",
    way: (bytes) => [bytes.subarray(0, -1)],
    error: { code: "Aborted", message: expect.stringContaining("only") },
    isKept: true,
  },
  { title: "nothing", way: () => [], error: { code: "Aborted" }, isKept: true },
  {
    title: "a connection that breaks",
    way: function* (bytes) {
      yield bytes.subarray(0, 10_000);
      throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104 });
    },
    error: { message: expect.stringContaining("ECONNRESET") },
    isKept: true,
  },
  {
    title: "a refusal",
    way: () => {
      throw new RangeError("not for you");
    },
    error: { message: "not for you" },
    isKept: true,
  },
];

describe.each(allDrivers)("under %s, what a source does wrong", (driver) => {
  it.each(faults)("$title: is told, and nothing is damaged", async ({ way, error, isKept = false }) => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    for (const layer of [0, 1]) {
      const remote = new Remote(await imageOf(files));
      const before = await contentOf(opened);
      const image = remote.as([reference], toLayer(remote, layer, way));
      await expect(opened.store.receive([image])).rejects.toMatchObject(error);
      const kept = await readdir(join(opened.root, "downloads"));
      const ofLayer = kept.filter((name) => remote.layers[layer]?.endsWith(name));
      expect(ofLayer).toHaveLength(isKept ? 1 : 0);
      await expectUnchanged(opened, before, `layer ${layer}`);
      await opened.store.receive([remote.as([reference])]);
      expect(await treeOf(opened, reference)).toEqual(tree);
      await opened.store.removeImages([reference]);
      await opened.store.gc();
    }
  });
});

describe("receive refuses", () => {
  const refused = async (change: (image: RemoteImage) => RemoteImage): Promise<unknown> => {
    await using scratch = await Scratch.make();
    await using opened = await openStore(scratch.join("store"));
    const image = change(new Remote(await imageOf(files)).as([reference]));
    const error = await opened.store.receive([image]).catch((reason: unknown) => reason);
    await expectUnchanged(opened, { images: [], containers: [] }, "refused");
    return error;
  };

  it("a config that is not the manifest's, whatever its size", async () => {
    for (const bytes of [Buffer.from("{}"), Buffer.alloc(100_000, "{")]) {
      const error = await refused((image) => ({
        ...image,
        read: async function* () {
          yield bytes;
        },
      }));
      expect(error).toMatchObject({ code: "Corrupt", message: expect.stringContaining("config of") });
    }
  });

  it("what is no manifest of a container image", async () => {
    const json = (value: object) => Buffer.from(JSON.stringify(value));
    const bad = [
      { mediaType: "application/vnd.oci.image.manifest.v1+json", bytes: Buffer.from("nonsense") },
      {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        bytes: json({ schemaVersion: 2, manifests: [] }),
      },
      {
        mediaType: "application/vnd.oci.image.index.v1+json",
        bytes: json({ schemaVersion: 2, layers: [] }),
      },
      { mediaType: "application/vnd.cncf.helm.config.v1+json", bytes: json({ schemaVersion: 2 }) },
    ];
    for (const manifest of bad) {
      expect(await refused((image) => ({ ...image, manifest }))).toMatchObject({
        code: expect.stringMatching(/InvalidArgument|Unsupported/),
      });
    }
  });
});

describe.each(drivers)("an abort under %s", (driver) => {
  it("ends a source that hangs, and what has come is continued", async () => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const remote = new Remote(await imageOf(files));
    for (const [bytes, from] of [
      [0, 0],
      [3, 3],
      [20_000, 20_000],
    ] as const) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const hanging = toLayer(remote, 1, async function* (rest) {
        yield rest.subarray(0, bytes);
        void setTimeout(50).then(() => controller.abort(reason));
        await new Promise(() => {});
      });
      const image = remote.as([reference], hanging);
      await expect(opened.store.receive([image], { signal: controller.signal })).rejects.toBe(reason);
      expect(await readdir(join(opened.root, "ingest"))).toEqual([]);
      expect(await opened.store.check()).toEqual([]);
      remote.asked.length = 0;
      await opened.store.receive([remote.as([reference])]);
      expect(remote.askedLayers).toContainEqual({ layer: 1, from });
      expect(await treeOf(opened, reference)).toEqual(tree);
      await opened.store.removeImages([reference]);
      await opened.store.gc();
    }
    await expect(
      opened.store.receive([remote.as([reference])], { signal: AbortSignal.abort(new RangeError("before")) }),
    ).rejects.toThrow("before");
    const controller = new AbortController();
    const image = new Remote(await imageOf([{ another: "x" }]));
    // Before there is any download.
    const onProgress = () => controller.abort(new RangeError("at once"));
    await expect(
      opened.store.receive([image.as([reference])], { signal: controller.signal, onProgress }),
    ).rejects.toThrow("at once");
    expect(image.askedLayers).toEqual([]);
  });
});

describe.skipIf(process.geteuid?.() !== 0)("a full disk", () => {
  it.each(["overlay2", "vfs"] satisfies DriverName[])(
    "is told under %s; with more room it goes on",
    async (driver) => {
      await using disk = await FullDisk.make("ext4");
      await using opened = await openStore(disk.join("store"), driver);
      const remote = new Remote(await imageOf([{ base: random(3_000_000) }]));
      await opened.store.receive([new Remote(await imageOf([{ other: "x" }])).as(["registry.test/other:1"])]);
      const before = await contentOf(opened);
      disk.fill();
      let failures = 0;
      for (;;) {
        const error = await opened.store.receive([remote.as([reference], inPieces(50_000))]).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error === undefined) break;
        failures += 1;
        expect(error).toMatchObject({ code: "NoSpace", message: expect.stringContaining("free some space") });
        expect(await contentOf(opened)).toEqual(before);
        expect(disk.more()).toBe(true);
      }
      expect(failures).toBeGreaterThan(2);
      expect(remote.askedLayers.some(({ from }) => from > 0)).toBe(true);
      disk.relieve();
      expect(await opened.store.check()).toEqual([]);
      await opened.store.gc();
      expect((await stat(join(opened.root, "downloads"))).isDirectory()).toBe(true);
    },
  );
});
