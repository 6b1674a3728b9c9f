import { readdirSync } from "node:fs";
import { mountsBelow } from "../host/scratch.ts";
import type { Trial } from "../trial.ts";

/** What a driver has at a moment: the names of all files below its root, its mounts there, and its snapshots. */
export interface Footprint {
  readonly names: readonly string[];
  readonly mounts: readonly string[];
  readonly snapshots: readonly string[];
}

/**
 * Take a driver's footprint, to be compared with a later one when everything made in between was removed. What a driver
 * makes once, when it first needs it, is made before: a snapshot comes and goes.
 */
export async function rootFootprint({ driver, root }: Trial): Promise<Footprint> {
  const active = await driver.prepare("footprint");
  await (await active.mount()).close();
  await driver.remove("footprint");
  await driver.cleanup();
  const snapshots: string[] = [];
  for await (const { id } of driver.list()) snapshots.push(id);
  return {
    names: readdirSync(root, { recursive: true, encoding: "utf8" }).sort(),
    mounts: mountsBelow(root).map(String).sort(),
    snapshots: snapshots.sort(),
  };
}
