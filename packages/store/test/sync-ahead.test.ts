import { join } from "node:path";
import { btrfs } from "@strata/driver-btrfs";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { archiveOf } from "./support/load.ts";
import { type DriverName, drivers, listing, Scratch } from "./support/store.ts";

const MiB = 2 ** 20;

let scratch: Scratch;

beforeEach(async () => {
  scratch = await Scratch.make();
});

afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

/** Two layers that are worth a sync before the last one, but only together; or two that are not. */
async function archive(bytes: number): Promise<string> {
  const image = await imageOf([{ a: "1".repeat(bytes) }, { b: "2".repeat(bytes) }]);
  return await archiveOf(scratch, [{ image, tags: ["sample:1"] }]);
}

/** A durable store, whose driver does `beforeSync` each time before it syncs. */
async function open(name: DriverName, beforeSync: () => void) {
  const root = scratch.join("store");
  const driver = await { btrfs, overlay2, vfs }[name]({ root: join(root, "drivers", name) });
  const store = await Store.open({ root, driver });
  const sync = driver.sync.bind(driver);
  driver.sync = async () => {
    beforeSync();
    await sync();
  };
  const close = async () => {
    await store.close();
    await driver.close();
  };
  return { store, driver, [Symbol.asyncDispose]: close };
}

describe.each(drivers)("a durable load under %s", (name) => {
  const syncsOf = async (bytes: number): Promise<number> => {
    let syncs = 0;
    await using opened = await open(name, () => {
      syncs += 1;
    });
    await opened.store.load(await archive(bytes));
    return syncs;
  };

  it("has the disk write while a large image is still being unpacked", async () => {
    const atTheEnd = await syncsOf(1000);
    expect(atTheEnd).toBeLessThan(2);
    expect(await syncsOf(40 * MiB)).toBeGreaterThan(atTheEnd);
  });

  it("fails if that fails, though the last sync would not: the kernel tells of an error once", async () => {
    let syncs = 0;
    await using opened = await open(name, () => {
      syncs += 1;
      if (syncs === 1) throw new Error("the disk is broken");
    });
    const path = await archive(40 * MiB);
    await opened.store.images();
    const before = await listing(scratch.path);
    await expect(opened.store.load(path)).rejects.toThrow("the disk is broken");
    expect(await opened.store.images()).toEqual([]);
    await opened.driver.cleanup();
    expect(await listing(scratch.path)).toEqual(before);
  });
});
