import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { mountHolding } from "@strata/linux";
import { run } from "../peers/command.ts";

/** The kernel counts in these, whatever the device's own sectors are (Documentation/admin-guide/iostats.rst). */
const sectorBytes = 512;

/**
 * How much the block device below `directory` has written since it was there; everything dirty of the file system is
 * written first. 0 where no block device is below (tmpfs).
 */
export async function deviceWrittenBytes(directory: string): Promise<number> {
  await run("sync", ["--file-system", directory]);
  const mount = mountHolding(directory);
  if (mount === undefined) return 0;
  // btrfs has a device number of its own for each subvolume: there, the name of what is mounted leads to the device.
  const { major, minor } = mount.dev;
  const name = basename(mount.source.toString());
  const line = (await readFile("/proc/diskstats", "utf8"))
    .split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find((fields) =>
      major === 0 ? fields[2] === name : fields[0] === `${major}` && fields[1] === `${minor}`,
    );
  return Number(line?.[9] ?? 0) * sectorBytes;
}
