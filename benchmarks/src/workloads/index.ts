import type { Workload, WorkloadName } from "../workload.ts";

/** One of this package's, or the URL of a module that exports a `workload`. */
export type WorkloadReference = WorkloadName | `file:${string}`;

/** Loaded one by one: a thread needs the one that it runs. */
const modules: Readonly<Record<WorkloadName, () => Promise<Workload>>> = {
  apply: async () => (await import("./apply.ts")).apply,
  "copy-up": async () => (await import("./copy-up.ts")).copyUp,
  hashing: async () => (await import("./hashing.ts")).hashing,
  lifecycle: async () => (await import("./lifecycle.ts")).lifecycle,
  changes: async () => (await import("./changes.ts")).changes,
  read: async () => (await import("./read.ts")).read,
  store: async () => (await import("./store.ts")).store,
  registry: async () => (await import("./registry.ts")).registry,
};

export async function loadWorkload(reference: WorkloadReference): Promise<Workload> {
  if (!isUrl(reference)) return await modules[reference]();
  const module: { readonly workload: Workload } = await import(reference);
  return module.workload;
}

function isUrl(reference: WorkloadReference): reference is `file:${string}` {
  return reference.startsWith("file:");
}
