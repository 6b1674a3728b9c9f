import type { StoreContext } from "../content/context.ts";
import { type ContainerRecord, listContainers } from "./records.ts";
import { mountPoint } from "./snapshot.ts";

export interface ContainerSummary extends ContainerRecord {
  /** Where its tree is visible now. */
  readonly mountedAt?: string;
}

/** All containers, the newest first, and where they are mounted. */
export async function summarizeContainers(context: StoreContext): Promise<ContainerSummary[]> {
  const records = await listContainers(context);
  return await Promise.all(
    records.map(async (record) => {
      const mountedAt = await mountPoint(context, record);
      return { ...record, ...(mountedAt !== undefined && { mountedAt }) };
    }),
  );
}
