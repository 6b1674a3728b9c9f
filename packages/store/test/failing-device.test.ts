import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { FailingDisk } from "@strata/conformance/suite";
import { btrfs } from "@strata/driver-btrfs";
import { overlay2 } from "@strata/driver-overlay2";
import { vfs } from "@strata/driver-vfs";
import { Store } from "@strata/store";
import { describe, expect, it } from "vitest";
import { imageOf } from "./support/image.ts";
import { archiveOf } from "./support/load.ts";
import {
  allDrivers,
  type DriverName,
  drivers,
  type OpenedStore,
  openStore,
  Scratch,
  treeOf,
} from "./support/store.ts";
import { unowned } from "./support/unowned.ts";
import { contentOf, expectUnchanged } from "./support/whole.ts";

const run = promisify(execFile);

const mebibyte = 2 ** 20;

/** What is reported as loaded is on disk. */
async function openDurably(root: string, name: DriverName): Promise<OpenedStore> {
  const driver = await { btrfs, overlay2, vfs }[name]({ root: join(root, "drivers", name) });
  const store = await Store.open({ root, driver, threads: 1 });
  const close = async () => {
    await store.close();
    await driver.close();
  };
  return { store, driver, root, [Symbol.asyncDispose]: close };
}

describe.skipIf(process.geteuid?.() !== 0)("a device that fails", () => {
  it.each(allDrivers)("fails the load, and keeps what was loaded before, under %s", async (name) => {
    await using archives = await Scratch.make();
    const good = await imageOf([{ "etc/good": "good" }]);
    const big = await imageOf([{ "srv/big": randomBytes(12 * mebibyte).toString("hex") }]);
    const [goodArchive, bigArchive] = [
      await archiveOf(archives, [{ image: good, tags: ["good:1"] }]),
      await archiveOf(archives, [{ image: big, tags: ["big:1"] }]),
    ];
    await using disk = await FailingDisk.make(name === "btrfs" ? "btrfs" : "ext4", 8 * mebibyte);
    const root = disk.join("store");
    {
      await using opened = await openDurably(root, name);
      await opened.store.load(goodArchive);
      await expect(opened.store.load(bigArchive)).rejects.toMatchObject({
        name: "StrataError",
        message: expect.stringMatching(/kernel's log|free some space/),
      });
    }
    await disk.repair();
    await using opened = await openDurably(root, name);
    expect((await opened.store.images()).map(({ references }) => references)).toEqual([
      ["docker.io/library/good:1"],
    ]);
    expect(await treeOf(opened, "good:1")).toEqual({ "etc/good": "good" });
    await opened.store.gc();
    expect(await unowned(opened)).toEqual([]);
    expect(await opened.store.check()).toEqual([]);
    await opened.store.load(bigArchive);
    expect(await opened.store.check()).toEqual([]);
  });
});

describe.each(drivers)("a process that may open few files under %s", (driver) => {
  it("says so, leaves nothing half-made, and loads when it may open more", async () => {
    await using scratch = await Scratch.make(driver);
    await using opened = await openStore(scratch.join("store"), driver);
    const image = await imageOf([{ a: "1" }, { "b/c/d/e/f": "2" }]);
    const archive = await archiveOf(scratch, [{ image, tags: ["deep:1"] }]);
    const fixture = join(import.meta.dirname, "fixtures", "store.mjs");
    const before = await contentOf(opened);
    let failures = 0;
    for (let files = 40; ; files += 12) {
      const command = [process.execPath, fixture, opened.root, driver, "load", archive];
      const stderr = await run("prlimit", [`--nofile=${files}`, ...command]).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      if (stderr === undefined) break;
      failures += 1;
      expect(stderr, `with ${files} files`).toMatch(/EMFILE|too many open files/i);
      await expectUnchanged(opened, before, `with ${files} files`);
      expect(files).toBeLessThan(600);
    }
    expect(failures).toBeGreaterThan(0);
    expect(await treeOf(opened, "deep:1")).toEqual({ a: "1", "b/c/d/e/f": "2" });
  });
});
