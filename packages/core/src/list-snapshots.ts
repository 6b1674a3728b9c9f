import { setImmediate } from "node:timers/promises";
import type { SnapshotFilter, SnapshotInfo } from "./driver.ts";
import { assertOpen, type DriverCore } from "./driver-core.ts";
import { toStrataError } from "./errors.ts";
import { infoOf } from "./state-directory.ts";

// Records are read synchronously, which is far cheaper; now and then others get their turn.
const readsAtATime = 64;

/**
 * Keys first and names then, so that a snapshot that is committed meanwhile is not missed. One that is damaged is left
 * to check.
 */
export async function* listSnapshots(core: DriverCore, filter: SnapshotFilter): AsyncGenerator<SnapshotInfo> {
  const { state } = core;
  const what = `list ${state.root}`;
  assertOpen(core, what);
  try {
    let reads = 0;
    for (const pointers of ["keys", "names"] as const) {
      if (filter.kind !== undefined && (filter.kind === "committed") !== (pointers === "names")) continue;
      for (const id of state.ids(pointers)) {
        if (++reads % readsAtATime === 0) await setImmediate();
        const entry = state.findReadable(pointers, id);
        if (entry === undefined) continue;
        const info = infoOf(entry);
        if (matches(info, filter)) yield info;
      }
    }
  } catch (error) {
    throw toStrataError(error, what);
  }
}

function matches(info: SnapshotInfo, { kind, parent, labels = {} }: SnapshotFilter): boolean {
  return (
    (kind === undefined || info.kind === kind) &&
    (parent === undefined || info.parent === parent) &&
    Object.entries(labels).every(([name, value]) => info.labels[name] === value)
  );
}
