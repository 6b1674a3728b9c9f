import type { Report, ReportedBehaviour, ReportedGroup, Totals } from "./report.ts";
import { style } from "./style.ts";
import { aboutLines, summaryLine, totalsText } from "./text.ts";

/** A report as one page that needs nothing else: no network, no script. */
export function htmlReport(report: Report): string {
  const { driver, host, startedAt, filter, totals, groups } = report;
  const title = `${driver.name} on ${host.fileSystem}, Linux ${host.kernel}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Conformance of ${text(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="verdict ${totals.failed > 0 ? "failed" : "passed"}">${verdict(report)}</p>
<h1>${text(title)}</h1>
<p>${text(summaryLine(report))}${filter === undefined ? "" : `; only those with “${text(filter)}”`}</p>
</header>
<section class="totals" aria-label="Totals of each group">
${groups.map(groupBar).join("\n")}
</section>
<fieldset class="show">
<legend>Show</legend>
${showing("all", "all", totals.passed + totals.failed + totals.skipped, true)}
${showing("failed", "failed", totals.failed)}
${showing("skipped", "skipped", totals.skipped)}
${showing("passed", "passed", totals.passed)}
</fieldset>
<main>
${groups.map(groupSection).join("\n")}
</main>
<footer>
<h2>Driver and host</h2>
<dl>
${aboutLines(driver, host).map(definition).join("\n")}
${definition(`Run: ${startedAt}`)}
</dl>
<h2>Capabilities, as the driver says</h2>
<dl>
${capabilities(report).map(definition).join("\n")}
</dl>
</footer>
</body>
</html>
`;
}

function verdict({ totals, filter, groups }: Report): string {
  if (totals.failed > 0) return "does not conform";
  const missing = groups.some(({ behaviours }) => behaviours.some((behaviour) => behaviour.missing));
  return missing || filter !== undefined ? "conforms, as far as it was tried" : "conforms";
}

function groupBar({ name, title, totals }: ReportedGroup): string {
  const all = totals.passed + totals.failed + totals.skipped;
  return `<a class="bar-row" href="#${text(name)}"><span class="name">${text(title)}</span>${bar(totals, all)}<span class="count">${text(totalsText(totals))}</span></a>`;
}

function bar(totals: Totals, all: number): string {
  const parts = (["passed", "failed", "skipped"] as const)
    .filter((status) => totals[status] > 0)
    .map((status) => `<i class="${status}" style="width:${((totals[status] / all) * 100).toFixed(2)}%"></i>`);
  return `<span class="bar" aria-hidden="true">${parts.join("")}</span>`;
}

function showing(status: string, label: string, count: number, checked = false): string {
  return `<label><input type="radio" name="show" id="show-${status}"${checked ? " checked" : ""}> ${label} <b>${count}</b></label>`;
}

function groupSection({ name, title, behaviours }: ReportedGroup): string {
  return `<section class="group" id="${text(name)}">
<h2>${text(title)}</h2>
<ul>
${behaviours.map(item).join("\n")}
</ul>
</section>`;
}

function item({ id, title, status, durationMs, reason, error }: ReportedBehaviour): string {
  const took = durationMs === undefined ? "" : `<span class="took">${durationMs} ms</span>`;
  const line = `<span class="status">${status}</span><span class="title">${text(title)} <code>${text(id)}</code></span>${took}`;
  const why = reason === undefined ? "" : `<p class="reason">${text(reason)}</p>`;
  if (error === undefined) return `<li class="${status}"><div class="line">${line}</div>${why}</li>`;
  return `<li class="${status}"><div class="line">${line}</div><pre>${text(error.message)}</pre><details><summary>Stack</summary><pre>${text(error.stack ?? "none")}</pre></details></li>`;
}

function capabilities({ driver }: Report): string[] {
  const { maxDepth, ...others } = driver.capabilities;
  return [
    ...Object.entries(others).map(
      ([name, { supported, reason }]) => `${name}: ${supported ? "yes" : "no"}, ${reason}`,
    ),
    `maxDepth: ${maxDepth}`,
  ];
}

/** `Kernel: 6.18` */
function definition(line: string): string {
  const at = line.indexOf(": ");
  return `<dt>${text(line.slice(0, at))}</dt><dd>${text(line.slice(at + 2))}</dd>`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function text(plain: string): string {
  return plain.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
