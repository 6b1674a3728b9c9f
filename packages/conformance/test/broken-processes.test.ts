import { holdBroken } from "./broken/hold-broken.ts";
import { inProcesses, onDisk } from "./broken/on-disk.ts";

/** Which of these notice a flaw depends on when they happen to kill, or on how many files are open. */
const byChance: ReadonlySet<string> = new Set([
  "emfile",
  "incomplete-removed-at-open",
  "stale-temporaries-reaped-live-ones-kept",
]);

holdBroken("processes", inProcesses, {
  whole: onDisk,
  groups: ["mounts", "faults"],
  // In one process, these drivers have nothing wrong that others do not.
  only: ({ id, needs }) => needs?.includes("processes") === true && !byChance.has(id),
});
