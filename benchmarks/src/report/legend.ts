import { escaped } from "./markup.ts";
import type { PageSubject } from "./page/plot.ts";

/** A line in a subject's look. */
export function swatch({ hue, variant }: PageSubject): string {
  return `<i class="swatch variant-${variant % 4}" style="border-color:var(--hue-${hue})"></i>`;
}

/** Who is who. */
export function legend(subjects: readonly PageSubject[]): string {
  const items = subjects.map((subject) => `<li>${swatch(subject)}${escaped(subject.id)}</li>`);
  return `<ul class="legend" aria-label="Legend">${items.join("")}</ul>`;
}
