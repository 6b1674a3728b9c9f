import { type ActiveSnapshot, isStrataError, StrataError } from "@strata/core";
import type { StoreContext } from "../content/context.ts";
import { shortId } from "../short-id.ts";
import { type ContainerRecord, findContainer, listContainers } from "./records.ts";

/**
 * The writable snapshot of a container.
 * @throws StrataError `FailedPrecondition`, if the container was made with another driver
 * @throws StrataError `Corrupt`, if the snapshot is gone
 */
export async function openSnapshot(
  { driver }: StoreContext,
  { id, name, driver: owner }: ContainerRecord,
): Promise<ActiveSnapshot> {
  if (owner !== driver.name) {
    throw new StrataError(
      "FailedPrecondition",
      `container ${name} (${shortId(id)}) was made with the ${owner} driver; use --driver ${owner}`,
    );
  }
  try {
    const snapshot = await driver.open(id);
    if (snapshot.kind === "active") return snapshot;
  } catch (error) {
    if (!isStrataError(error, "NotFound")) throw error;
  }
  throw new StrataError(
    "Corrupt",
    `container ${name} (${shortId(id)}): its snapshot is gone, and what was written in it; remove the container`,
  );
}

/**
 * A container by ID or name, and its writable snapshot.
 * @throws StrataError `NotFound`, "No such container: x"; or as {@link openSnapshot}
 */
export async function openContainer(
  context: StoreContext,
  idOrName: string,
): Promise<{ record: ContainerRecord; snapshot: ActiveSnapshot }> {
  const record = findContainer(await listContainers(context), idOrName);
  return { record, snapshot: await openSnapshot(context, record) };
}

/** Where the tree of a container is visible now; undefined also where this driver cannot tell. */
export async function mountPoint(
  context: StoreContext,
  record: ContainerRecord,
): Promise<string | undefined> {
  try {
    return await (await openSnapshot(context, record)).mountedAt();
  } catch (error) {
    if (isStrataError(error)) return undefined;
    throw error;
  }
}
