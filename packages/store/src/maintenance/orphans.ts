import { listContainers } from "../containers/records.ts";
import type { StoreContext } from "../content/context.ts";
import { heldKeys } from "../ingest/holds.ts";

/** The keys that a store gives: of staging, and of containers. */
const ownKey = /^(?:ingest-[0-9a-f]{16}-\d+|[0-9a-f]{64})$/;

/**
 * Finds out which keys are of a store that has neither a container nor a staging for them any more. What was being made
 * during a power cut can be among them, and damaged.
 */
export async function orphanTest(context: StoreContext): Promise<(key: string) => boolean> {
  const containers = (await listContainers(context)).map(({ id }) => id);
  const owned = new Set([...containers, ...(await heldKeys(context.root))]);
  return (key) => ownKey.test(key) && !owned.has(key);
}

/** The writable snapshots of no container and of no staging. Call it with the store's lock held. */
export async function orphans(context: StoreContext): Promise<string[]> {
  const found = new Set<string>();
  for await (const { id } of context.driver.list({ kind: "active" })) found.add(id);
  // A list leaves out what is damaged.
  for (const { subject } of await context.driver.check()) found.add(subject);
  return [...found].filter(await orphanTest(context));
}
