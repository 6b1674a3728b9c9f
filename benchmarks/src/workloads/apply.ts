import type { Workload } from "../workload.ts";

export const apply: Workload = {
  title: "Layer apply",
  summary: "",
  cases: () => [],
  open: async () => ({ operations: [], [Symbol.asyncDispose]: async () => {} }),
};
