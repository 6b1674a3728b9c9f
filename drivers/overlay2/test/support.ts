import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorageDriver } from "@strata/core";
import { type Overlay2Options, overlay2 } from "@strata/driver-overlay2";
import { MNT_DETACH, type MountEntry, mountInfo, umount2 } from "@strata/linux";
import { afterEach, beforeEach, describe, expect } from "vitest";

const isRoot = process.geteuid?.() === 0;
if (!isRoot) {
  const reason = "overlay2 needs root to mount";
  if (process.env["CI"] === "true") throw new Error(reason);
  console.warn(`tests are skipped: ${reason}`);
}

/** Tests that mount. */
export const describeAsRoot = describe.skipIf(!isRoot);

/** What each test has for itself. */
export interface Scratch {
  /** A directory. */
  path: string;
  /** Open a driver, by default on `<path>/root`; it is closed after the test. */
  open(options?: Partial<Overlay2Options>): Promise<StorageDriver>;
}

/** After each test, nothing may be left mounted. */
export function useScratch(): Scratch {
  const drivers: StorageDriver[] = [];
  const scratch: Scratch = {
    path: "",
    async open(options) {
      const driver = await overlay2({ root: join(scratch.path, "root"), ...options });
      drivers.push(driver);
      return driver;
    },
  };
  beforeEach(() => {
    scratch.path = realpathSync(mkdtempSync(join(tmpdir(), "strata-overlay2-")));
  });
  afterEach(async () => {
    for (const driver of drivers.splice(0)) await driver.close();
    const left = mountsBelow(scratch.path);
    for (const path of left.toReversed()) umount2(path, MNT_DETACH);
    rmSync(scratch.path, { recursive: true });
    expect(left).toEqual([]);
  });
  return scratch;
}

export function mountsBelow(path: string): string[] {
  return mountInfo()
    .map(({ mountPoint }) => mountPoint.toString())
    .filter((mountPoint) => mountPoint.startsWith(`${path}/`));
}

export function mountAt(path: string): MountEntry | undefined {
  return mountInfo().find(({ mountPoint }) => mountPoint.toString() === path);
}

/** Commit a layer whose directory `fill` writes to. */
export async function layer(
  driver: StorageDriver,
  name: string,
  parent: string | undefined,
  fill: (dir: string) => void,
): Promise<void> {
  const active = await driver.prepare(`prepare-${name}`, parent);
  fill(active.layout().dir);
  await active.commit(name);
}
