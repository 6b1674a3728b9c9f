import { FullDisk } from "@strata/conformance/suite";
import { describe, it } from "vitest";
import { growingRoom } from "./support/growing-room.ts";
import { LimitedSubvolume } from "./support/limited-subvolume.ts";
import { allDrivers } from "./support/store.ts";

describe.skipIf(process.geteuid?.() !== 0)("a full disk", () => {
  it.each(allDrivers)(
    "leaves nothing half-made, and what did not fit fits later, under %s",
    async (driver) => {
      await using disk = await FullDisk.make(driver === "btrfs" ? "btrfs" : "ext4");
      const failed = await growingRoom(driver, disk);
      console.log(`NoSpace under ${driver}: ${JSON.stringify(failed)}`);
    },
  );

  it.each(allDrivers.filter((driver) => driver !== "btrfs"))(
    "so does one without inodes, under %s",
    async (driver) => {
      await using disk = await FullDisk.make("ext4", { mkfsArguments: ["-N", "1200"] });
      const failed = await growingRoom(driver, {
        join: (...names) => disk.join(...names),
        fill: () => disk.fillInodes(),
        more: () => disk.more(),
        relieve: () => disk.relieve(),
      });
      console.log(`no inodes under ${driver}: ${JSON.stringify(failed)}`);
    },
  );
});

describe.skipIf(!allDrivers.includes("btrfs"))("a full quota", () => {
  it.each(allDrivers)(
    "leaves nothing half-made, and what did not fit fits when it is raised, under %s",
    async (driver) => {
      await using subvolume = await LimitedSubvolume.make();
      const failed = await growingRoom(driver, subvolume);
      console.log(`quota under ${driver}: ${JSON.stringify(failed)}`);
    },
  );
});
