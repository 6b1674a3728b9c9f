import type { Results } from "../../results/schema.ts";
import type { PageSubject } from "../page/plot.ts";

/** How many hues the style has. */
const hues = 8;

/**
 * What was measured, each with its look, which is the same on the whole page: one driver on several file systems has
 * one hue.
 */
export function pageSubjects({
  subjects,
  measurements,
}: Pick<Results, "subjects" | "measurements">): PageSubject[] {
  const measured = new Set(measurements.map(({ subject }) => subject));
  const families: string[] = [];
  const members = new Map<number, number>();
  return subjects
    .filter(({ id }) => measured.has(id))
    .map(({ id }) => {
      const [family = id] = id.split(" on ");
      if (!families.includes(family)) families.push(family);
      const hue = families.indexOf(family) % hues;
      const variant = members.get(hue) ?? 0;
      members.set(hue, variant + 1);
      return { id, hue, variant };
    });
}
