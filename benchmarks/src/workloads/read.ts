import type { Workload } from "../workload.ts";

export const read: Workload = {
  title: "Reading",
  summary: "",
  cases: () => [],
  open: async () => ({ operations: [], [Symbol.asyncDispose]: async () => {} }),
};
