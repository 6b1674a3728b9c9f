import type { StorageDriver } from "@strata/core";
import { vfs } from "@strata/driver-vfs";
import { scratch } from "./scratch.ts";

/** A driver whose commits cost nothing. */
export const open = (root = scratch()): Promise<StorageDriver> => vfs({ root, durability: "none" });

/** Commit `base`, whose tree `fill` makes. @returns the tree's path */
export async function base(driver: StorageDriver, fill: (tree: string) => void): Promise<string> {
  const active = await driver.prepare("making");
  fill(active.layout().dir);
  await active.commit("base");
  return active.layout().dir;
}
