import { type ActiveSnapshot, isStrataError, StrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { withStoreLock } from "../content/store-lock.ts";
import { failpoint } from "../failpoint.ts";
import { reclaim } from "../reclaim.ts";
import {
  type ContainerRecord,
  deleteContainer,
  findContainer,
  listContainers,
  writeContainer,
} from "./records.ts";
import { openSnapshot } from "./snapshot.ts";

export interface RemoveContainerOptions {
  /** Unmount it first, even if files are open. @defaultValue false */
  readonly force?: boolean;
}

/**
 * Remove a container with all that was written in it. The commit point is the deletion of its record.
 * @throws StrataError `NotFound`
 * @throws StrataError `Busy`, while it is mounted
 * @throws StrataError `FailedPrecondition`, if it was made with another driver
 */
export async function removeContainer(
  context: StoreContext,
  idOrName: string,
  { force = false }: RemoveContainerOptions = {},
): Promise<void> {
  await withStoreLock(context.root, async () => {
    const record = findContainer(await listContainers(context), idOrName);
    const snapshot = await openIfThere(context, record);
    if (snapshot !== undefined) await unmount(snapshot, record, force);
    failpoint("container.unmounted");
    await deleteContainer(context, record.id);
    failpoint("container.record-deleted");
    try {
      if (snapshot !== undefined) await context.driver.remove(record.id);
    } catch (error) {
      // Somebody has just mounted it.
      await writeContainer(context, record);
      throw error;
    }
  });
  failpoint("container.snapshot-removed");
  await reclaim(context);
}

async function unmount(snapshot: ActiveSnapshot, { name }: ContainerRecord, force: boolean): Promise<void> {
  const path = await snapshot.mountedAt();
  if (path === undefined) return;
  if (!force) {
    throw new StrataError(
      "Busy",
      `cannot remove container ${name}: it is mounted at ${path}; unmount it first, or remove it by force`,
    );
  }
  await snapshot.unmount({ force });
}

/** A container whose snapshot is gone can be removed all the same. */
async function openIfThere(
  context: StoreContext,
  record: ContainerRecord,
): Promise<ActiveSnapshot | undefined> {
  try {
    return await openSnapshot(context, record);
  } catch (error) {
    if (isStrataError(error, "Corrupt")) return undefined;
    throw error;
  }
}
