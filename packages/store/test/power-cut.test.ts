import { accessSync, constants } from "node:fs";
import {
  type FileSystemType,
  LoopFileSystem,
  missingFacilities,
  randomNumbers,
} from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { sha256 } from "./support/image.ts";
import { cutPower, expectedImages, type PowerCut } from "./support/power-cuts.ts";
import { type DriverName, openStore, Scratch, treeOf } from "./support/store.ts";
import { unowned } from "./support/unowned.ts";

const mebibyte = 2 ** 20;

/** Each writes back nothing by itself for as long as can be asked of it; xfs does after half a minute. */
const fileSystems: readonly {
  readonly type: FileSystemType;
  readonly mountOptions: readonly string[];
  readonly drivers: readonly DriverName[];
}[] = [
  { type: "ext4", mountOptions: ["commit=600"], drivers: ["overlay2", "vfs"] },
  { type: "xfs", mountOptions: [], drivers: ["overlay2", "vfs"] },
  { type: "btrfs", mountOptions: ["commit=600"], drivers: ["btrfs", "overlay2", "vfs"] },
];

/** On each file system, over all of its drivers. */
const cutsEach = Number(process.env["STRATA_POWER_CUTS"] ?? 8);
const seed = Number(process.env["STRATA_SEED"] ?? 20_240_819);

const missing = missingFacilities(["root", ...fileSystems.map(({ type }) => `mkfs.${type}`)]);
if (missing.length > 0) {
  if (process.env["CI"]) throw new Error(`in CI, power must be cut, too: that needs ${missing.join(", ")}`);
  console.warn(`power is not cut: that needs ${missing.join(", ")}`);
}

describe.skipIf(missing.length > 0).each(fileSystems)(
  "a power cut on $type",
  ({ type, mountOptions, drivers }) => {
    it.each(drivers)(
      "leaves every image that was reported committed under %s, and nothing half-made",
      async (driver) => {
        // The disk lies on an xfs of its own: there it can be cloned as it is at one moment.
        await using shelf = await LoopFileSystem.make("xfs", { sizeBytes: 8192 * mebibyte, ...memory() });
        await using disk = await LoopFileSystem.make(type, {
          sizeBytes: 400 * mebibyte,
          mountOptions,
          directory: shelf.path,
        });
        await using scratch = await Scratch.make();
        await openStore(disk.join("store"), driver).then((opened) => opened[Symbol.asyncDispose]());
        await disk.sync();
        const count = Math.ceil(cutsEach / drivers.length);
        const cuts = await cutPower(disk, driver, scratch, { count, random: randomNumbers(seed) });
        for (const cut of cuts) {
          await disk.replaceBy(cut.image);
          await examine(disk, driver, cut);
        }
        const reported = cuts.map(({ committed }) => committed.length);
        console.log(
          `${driver} on ${type}: ${count} cuts; images that had to be there: ${reported.join(", ")}`,
        );
        // That none had to be there would prove nothing.
        expect(Math.max(...reported)).toBeGreaterThan(0);
      },
      3_600_000,
    );
  },
);

async function examine(disk: LoopFileSystem, driver: DriverName, cut: PowerCut): Promise<void> {
  const where = `${cut.moment} (seed ${seed})`;
  const expected = expectedImages();
  await using opened = await openStore(disk.join("store"), driver);
  const { store } = opened;
  const references = (await store.images({ all: true })).flatMap((image) => image.references);
  const names = references.map((reference) => reference.replace("docker.io/library/", ""));
  expect(names, where).toEqual(expect.arrayContaining([...cut.committed]));
  expect(await store.check(), where).toEqual([]);
  for (const name of names) {
    // Not by toEqual, whose message would be megabytes.
    expect(digest(await treeOf(opened, name)), `${name}, ${where}`).toEqual(digest(expected.get(name) ?? {}));
  }
  await store.gc();
  expect(await unowned(opened), where).toEqual([]);
  expect(await store.check({ quick: true }), where).toEqual([]);
}

/** Sorted, each path with what its content is known by. */
function digest(tree: Readonly<Record<string, string>>): string[] {
  return Object.entries(tree)
    .map(([path, content]) => `${path} ${sha256(content)}`)
    .sort();
}

/** In memory, where there is some: a sync of the inner file system is one of all below it. */
function memory(): { directory?: string } {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return { directory: "/dev/shm" };
  } catch {
    return {};
  }
}
