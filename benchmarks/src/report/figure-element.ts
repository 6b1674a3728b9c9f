import { legend } from "./legend.ts";
import { escaped } from "./markup.ts";
import type { PageSubject } from "./page/plot.ts";
import type { Figure } from "./plots/figure.ts";

/** A figure: what it shows, its plots, who is who, and its numbers. */
export function figureElement(
  { title, caption, plots, subjects, numbers, disturbances }: Figure,
  all: readonly PageSubject[],
): string {
  const present = all.filter((_, index) => subjects.includes(index));
  return `<figure>
<figcaption><h4>${escaped(title)}</h4><p>${escaped(caption)}</p></figcaption>
${plots.map(({ id, description }) => `<div class="plot" id="${id}" role="img" aria-label="${escaped(description)}"></div>`).join("\n")}
${legend(present)}
${disturbances.map((each) => `<p class="disturbed">! ${escaped(each)}</p>`).join("\n")}
<details><summary>Numbers</summary><div class="scrolled">${numberTable(numbers)}</div></details>
</figure>`;
}

/** What stands in no row is left out. */
function numberTable(numbers: Figure["numbers"]): string {
  const [heading = [], ...rows] = numbers;
  const columns = heading
    .map((_, column) => column)
    .filter((column) => rows.some((row) => (row[column] ?? "") !== ""));
  const line = (cells: readonly string[], tag: "th" | "td") =>
    `<tr>${columns
      .map((column) => {
        const cell = cells[column] ?? "";
        return `<${tag}${/^[^\d]/.test(cell) && tag === "td" ? ' class="left"' : ""}>${escaped(cell)}</${tag}>`;
      })
      .join("")}</tr>`;
  return `<table>${[line(heading, "th"), ...rows.map((row) => line(row, "td"))].join("\n")}</table>`;
}
