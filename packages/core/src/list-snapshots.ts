import { setImmediate } from "node:timers/promises";
import type { SnapshotFilter, SnapshotInfo } from "./driver.ts";
import { isStrataError } from "./errors.ts";
import { type Entry, infoOf, type PointerKind, type StateDirectory } from "./state-directory.ts";

// Records are read synchronously, which is far cheaper; now and then others get their turn.
const readsAtATime = 64;

/**
 * Keys first and names then, so that a snapshot that is committed meanwhile is not missed. One that is damaged is left
 * to check.
 */
export async function* listSnapshots(
  state: StateDirectory,
  { kind, parent, labels = {} }: SnapshotFilter,
): AsyncGenerator<SnapshotInfo> {
  let reads = 0;
  for (const pointers of ["keys", "names"] as const) {
    if (kind !== undefined && (kind === "committed") !== (pointers === "names")) continue;
    for (const id of state.ids(pointers)) {
      if (++reads % readsAtATime === 0) await setImmediate();
      const entry = readable(id, pointers);
      if (entry !== undefined && matches(entry)) yield infoOf(entry);
    }
  }

  function readable(id: string, pointers: PointerKind): Entry | undefined {
    try {
      return state.findIn(pointers, id);
    } catch (error) {
      if (isStrataError(error, "Corrupt")) return undefined;
      throw error;
    }
  }

  function matches({ record }: Entry): boolean {
    return (
      (kind === undefined || record.kind === kind) &&
      (parent === undefined || record.parent === parent) &&
      Object.entries(labels).every(([name, value]) => record.labels[name] === value)
    );
  }
}
