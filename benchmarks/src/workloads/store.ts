import type { Workload } from "../workload.ts";

export const store: Workload = {
  title: "Store",
  summary: "",
  cases: () => [],
  open: async () => ({ operations: [], [Symbol.asyncDispose]: async () => {} }),
};
