import type { StorageDriver } from "@strata/core";
import {
  AT_FDCWD,
  btrfsSetSubvolReadonly,
  close,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  statxOrUndefined,
} from "@strata/linux";

/**
 * Damage what is unpacked of a layer. That of btrfs is read-only, unless somebody means it.
 * @param edit - gets the directory where its files are
 */
export async function editLayer(
  driver: StorageDriver,
  chainId: string,
  edit: (dir: string) => Promise<unknown>,
): Promise<void> {
  const { dir } = (await driver.open(chainId)).layout();
  if (driver.name === "btrfs") setReadonly(dir, false);
  await edit(dir);
  if (driver.name === "btrfs" && statxOrUndefined(AT_FDCWD, dir)) setReadonly(dir, true);
}

function setReadonly(subvolume: string, value: boolean): void {
  const fd = openat(AT_FDCWD, subvolume, O_RDONLY | O_DIRECTORY);
  try {
    btrfsSetSubvolReadonly(fd, value);
  } finally {
    close(fd);
  }
}
