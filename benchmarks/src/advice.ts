import type { Results } from "./results/schema.ts";

/** Which driver for this host, why, and what it lacks: one paragraph. */
export function adviceFor(results: Omit<Results, "advice">): string {
  const drivers = results.subjects.filter(({ kind }) => kind === "driver");
  return drivers.length === 0 ? "No driver works here." : "";
}
