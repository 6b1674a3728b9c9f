import { type CommittedSnapshot, type Digest, isStrataError } from "@strata/core";
import type { StoreContext } from "./context.ts";

/** The snapshot of a layer; undefined, if this driver has not unpacked it: then it is unpacked when a container needs it. */
export async function openCommitted(
  { driver }: StoreContext,
  chainId: Digest,
): Promise<CommittedSnapshot | undefined> {
  try {
    const snapshot = await driver.open(chainId);
    return snapshot.kind === "committed" ? snapshot : undefined;
  } catch (error) {
    // What cannot be read is for the driver's own check to report.
    if (isStrataError(error, "NotFound") || isStrataError(error, "Corrupt")) return undefined;
    throw error;
  }
}

/** Whether a driver has unpacked a layer, and its files are gone with all that was noted of it. */
export async function isLayerLost(
  { driver }: Pick<StoreContext, "driver">,
  chainId: Digest,
): Promise<boolean> {
  try {
    await driver.stat(chainId);
    return false;
  } catch (error) {
    if (isStrataError(error, "Corrupt")) return true;
    if (isStrataError(error, "NotFound")) return false;
    throw error;
  }
}
