import type { Workload } from "../workload.ts";

export const copyUp: Workload = {
  title: "Copy-up",
  summary: "",
  cases: () => [],
  open: async () => ({ operations: [], [Symbol.asyncDispose]: async () => {} }),
};
