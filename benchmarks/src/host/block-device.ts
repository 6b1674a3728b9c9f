import { readFile } from "node:fs/promises";
import { AT_FDCWD, type Device, type MountEntry, mountHolding, S_IFBLK, S_IFMT, statx } from "@strata/linux";
import { run } from "../peers/command.ts";

/** The kernel counts in these, whatever the device's own sectors are (Documentation/admin-guide/iostats.rst). */
const sectorBytes = 512;

/**
 * How much the block device below `directory` has written since it was there; everything dirty of the file system is
 * written first. 0 where no block device is below (tmpfs). Of a btrfs on several devices, only one is counted.
 */
export async function deviceWrittenBytes(directory: string): Promise<number> {
  await run("sync", ["--file-system", directory]);
  const mount = mountHolding(directory);
  const device = mount === undefined ? undefined : deviceBelow(mount);
  if (device === undefined) return 0;
  const line = (await readFile("/proc/diskstats", "utf8"))
    .split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find(([major, minor]) => major === `${device.major}` && minor === `${device.minor}`);
  return Number(line?.[9] ?? 0) * sectorBytes;
}

/** btrfs has a number of its own, of no device, for each subvolume: there, what was mounted is the device. */
function deviceBelow({ dev, source }: MountEntry): Device | undefined {
  if (dev.major !== 0) return dev;
  if (source[0] !== slash) return undefined; // A word such as tmpfs.
  // It may be a symlink: /dev/mapper/... is.
  const { mode, rdev } = statx(AT_FDCWD, source, 0);
  return (mode & S_IFMT) === S_IFBLK ? rdev : undefined;
}

const slash = "/".charCodeAt(0);
