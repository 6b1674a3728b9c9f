import { lacksOf } from "../advice/lacks.ts";
import type { Results } from "../results/schema.ts";
import { aboutPairs } from "./about.ts";
import { pageAssets } from "./assets.ts";
import { figureElement } from "./figure-element.ts";
import { swatch } from "./legend.ts";
import { escaped, json } from "./markup.ts";
import type { PageData, PageSubject } from "./page/plot.ts";
import { chaptersOf } from "./plots/chapters.ts";
import type { Chapter } from "./plots/figure.ts";
import { pageSubjects } from "./plots/subjects.ts";
import { style } from "./style.ts";

/** Results as one page that needs nothing else, no network either: tables, plots, and the results themselves. */
export function benchPage(results: Results): string {
  const chapters = chaptersOf(results);
  const subjects = pageSubjects(results);
  const { plotScript, plotStyle, plotLicence, pageScripts } = pageAssets();
  const figures = chapters.flatMap(({ trends, cases }) => [...trends, ...cases]);
  const data: PageData = { subjects, plots: figures.flatMap(({ plots }) => plots) };
  const title = `${results.host.name}, Linux ${results.host.kernel}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Benchmarks of ${escaped(title)}</title>
<style>${plotStyle}${style}</style>
</head>
<body>
<header>
<p>strata bench</p>
<h1>${escaped(title)}</h1>
${results.advice === "" ? "" : `<p class="advice">${escaped(results.advice)}</p>`}
<div class="about">
<div>
<h3>Host and run</h3>
<dl>
${aboutPairs(results)
  .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
  .join("\n")}
</dl>
<p><a id="save" hidden download="bench.json">Save the results as JSON</a></p>
</div>
<div>
${disturbedText(results)}
${problems(
  "Missing here",
  results.missing.map(({ id, reason }) => [id, reason]),
)}
${problems(
  "Failed, and left out",
  results.failures.map(({ subject, title: what, message }) => [`${subject}, ${what}`, message]),
)}
</div>
</div>
<h3>Subjects</h3>
${subjectTable(results, subjects)}
</header>
<nav aria-label="Workloads">
${chapters.map(({ name, title: text }) => `<a href="#${escaped(name)}">${escaped(text)}</a>`).join("\n")}
</nav>
<main>
${chapters.map((chapter) => chapterElement(chapter, subjects)).join("\n")}
</main>
<script type="application/json" id="results">${json(results)}</script>
<script type="application/json" id="plots">${json(data)}</script>
<!-- uPlot: ${plotLicence.replaceAll("--", "")} -->
<script>${plotScript}</script>
${pageScripts.map((script) => `<script type="module">${script}</script>`).join("\n")}
</body>
</html>
`;
}

function chapterElement(
  { name, title, summary, trends, cases }: Chapter,
  subjects: readonly PageSubject[],
): string {
  const grid = (heading: string, className: string, figures: Chapter["trends"]) =>
    figures.length === 0
      ? ""
      : `<h3>${heading}</h3>
<div class="${className}">
${figures.map((figure) => figureElement(figure, subjects)).join("\n")}
</div>`;
  return `<section id="${escaped(name)}">
<h2>${escaped(title)}</h2>
<p>${escaped(summary)}</p>
${grid("What it depends on", "figures", trends)}
${grid("Case by case", "figures cases", cases)}
</section>`;
}

function subjectTable({ subjects }: Results, looks: readonly PageSubject[]): string {
  const lookOf = (id: string) => looks.find((each) => each.id === id);
  const rows = subjects.flatMap(({ id, kind, version, fileSystem, lacks }) => {
    const look = lookOf(id);
    if (look === undefined) return [];
    const where = fileSystem.loop ? `${fileSystem.type}, in a file made for this run` : fileSystem.type;
    return `<tr><td class="left">${swatch(look)}${escaped(id)}</td><td class="left">${kind}</td>\
<td class="left">${escaped(version)}</td><td class="left wide">${escaped(where)}</td><td class="left wide">${lackList(lacks)}</td></tr>`;
  });
  const others = subjects
    .filter(({ id }) => lookOf(id) === undefined)
    .map(({ id, version }) => `${id} ${version}`);
  return `<div class="scrolled"><table class="subjects">
<tr><th class="left">name</th><th class="left">kind</th><th class="left">version</th><th class="left">file system</th><th class="left">what it lacks here</th></tr>
${rows.join("\n")}
</table></div>
${others.length === 0 ? "" : `<p class="others">Found here, but in none of these workloads: ${escaped(others.join(", "))}</p>`}`;
}

function lackList(lacks: readonly string[]): string {
  const items = lacksOf({ lacks }).map(
    ({ words, reason }) => `<li>${escaped(words)}: ${escaped(reason)}</li>`,
  );
  if (items.length === 0) return "";
  return `<details><summary>${items.length} ${items.length === 1 ? "thing" : "things"}</summary><ul>${items.join("")}</ul></details>`;
}

function problems(title: string, each: readonly (readonly [string, string])[]): string {
  if (each.length === 0) return "";
  const items = each.map(([what, why]) => `<li><b>${escaped(what)}</b>: ${escaped(why)}</li>`);
  return `<h3>${title}</h3>\n<ul class="problems">${items.join("\n")}</ul>`;
}

function disturbedText({ measurements }: Results): string {
  const disturbed = measurements.filter(({ disturbances }) => disturbances.length > 0).length;
  return disturbed === 0
    ? ""
    : `<p class="disturbed">The host did something else during ${disturbed} of ${measurements.length} measurements: they are marked, and not to be trusted far.</p>`;
}
