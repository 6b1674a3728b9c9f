import type { Workload } from "../workload.ts";

export const changes: Workload = {
  title: "Changes and diff",
  summary: "",
  cases: () => [],
  open: async () => ({ operations: [], [Symbol.asyncDispose]: async () => {} }),
};
