import { setImmediate } from "node:timers/promises";
import type { SnapshotFilter, SnapshotInfo } from "./driver.ts";
import { type Entry, infoOf, type StateDirectory } from "./state-directory.ts";

// Records are read synchronously, which is far cheaper; now and then others get their turn.
const readsAtATime = 64;

/** Keys first and names then, so that a snapshot that is committed meanwhile is not missed. */
export async function* listSnapshots(
  state: StateDirectory,
  { kind, parent, labels = {} }: SnapshotFilter,
): AsyncGenerator<SnapshotInfo> {
  let reads = 0;
  for (const pointers of ["keys", "names"] as const) {
    if (kind !== undefined && (kind === "committed") !== (pointers === "names")) continue;
    for (const id of state.ids(pointers)) {
      if (++reads % readsAtATime === 0) await setImmediate();
      const entry = state.findIn(pointers, id);
      if (entry !== undefined && matches(entry)) yield infoOf(entry);
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
