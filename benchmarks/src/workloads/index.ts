import type { Workload, WorkloadName } from "../workload.ts";

/** Loaded one by one: a thread needs the one that it runs. */
const modules: Readonly<Record<WorkloadName, () => Promise<Workload>>> = {
  apply: async () => (await import("./apply.ts")).apply,
  "copy-up": async () => (await import("./copy-up.ts")).copyUp,
  hashing: async () => (await import("./hashing.ts")).hashing,
  lifecycle: async () => (await import("./lifecycle.ts")).lifecycle,
  changes: async () => (await import("./changes.ts")).changes,
  read: async () => (await import("./read.ts")).read,
  store: async () => (await import("./store.ts")).store,
};

export function loadWorkload(name: WorkloadName): Promise<Workload> {
  return modules[name]();
}
