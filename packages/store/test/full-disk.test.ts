import { FullDisk } from "@strata/conformance/suite";
import { describe, expect, it } from "vitest";
import { longOperations } from "./support/long-operations.ts";
import { allDrivers, type DriverName, openStore, Scratch } from "./support/store.ts";
import { contentOf, expectUnchanged } from "./support/whole.ts";

/**
 * Do each operation on a disk without space or inodes, and again each time with a bit more, until it succeeds.
 * @returns how often each failed
 */
async function growingRoom(driver: DriverName, full: "bytes" | "inodes"): Promise<Record<string, number>> {
  await using archives = await Scratch.make();
  await using disk = await FullDisk.make(driver === "btrfs" ? "btrfs" : "ext4", {
    ...(full === "inodes" && { mkfsArguments: ["-N", "1200"] }),
  });
  await using opened = await openStore(disk.join("store"), driver);
  const failed: Record<string, number> = {};
  for (const { name, work, undo, reads } of await longOperations(archives, opened)) {
    // The thread, and what a first operation leaves for all others.
    await work(opened.store);
    await undo(opened);
    const before = await contentOf(opened);
    if (full === "bytes") disk.fill();
    else disk.fillInodes();
    let failures = 0;
    for (; ; failures += 1) {
      const error = await work(opened.store).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) break;
      const what = `${name}, failure ${failures}: ${error}`;
      expect(error, what).toMatchObject({
        name: "StrataError",
        code: "NoSpace",
        message: expect.stringContaining("free some space"),
      });
      await expectUnchanged(opened, before, what);
      expect(disk.more(), what).toBe(true);
    }
    disk.relieve();
    expect(await opened.store.check(), name).toEqual([]);
    if (reads) expect(failures, name).toBe(0);
    await undo(opened);
    failed[name] = failures;
  }
  return failed;
}

describe.skipIf(process.geteuid?.() !== 0)("a full disk", () => {
  it.each(allDrivers)(
    "leaves nothing half-made, and what did not fit fits later, under %s",
    async (driver) => {
      const failed = await growingRoom(driver, "bytes");
      console.log(`NoSpace under ${driver}: ${JSON.stringify(failed)}`);
      for (const name of ["load", "import", "commit"]) expect(failed[name], name).toBeGreaterThan(3);
    },
  );

  it.each(allDrivers.filter((driver) => driver !== "btrfs"))(
    "so does one without inodes, under %s",
    async (driver) => {
      const failed = await growingRoom(driver, "inodes");
      console.log(`no inodes under ${driver}: ${JSON.stringify(failed)}`);
      for (const name of ["load", "import", "commit"]) expect(failed[name], name).toBeGreaterThan(3);
    },
  );
});
