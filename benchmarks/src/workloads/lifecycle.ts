import type { Workload } from "../workload.ts";

export const lifecycle: Workload = {
  title: "Lifecycle",
  summary: "",
  cases: () => [],
  open: async () => ({ operations: [], [Symbol.asyncDispose]: async () => {} }),
};
