import { type Contest, caseKey, contestsOf, groupBy, referenceOf } from "../results/cases.ts";
import type { Results } from "../results/schema.ts";
import { aboutPairs, subjectText } from "./about.ts";
import { measurementCells, measurementHeadings } from "./cells.ts";
import { alignColumns, wrap } from "./columns.ts";

/** What a terminal has, with some to spare. */
const lineLength = 100;

/** Results as a table of text, and the advice: at most 100 columns wide as long as names are short. */
export function tableLines(results: Results): string[] {
  const contests = contestsOf(results);
  return [
    ...aboutLines(results),
    ...results.workloads.flatMap(({ name, title, summary }) => {
      const own = contests.filter(({ workload }) => workload === name);
      return own.length === 0
        ? []
        : ["", title, ...wrap(summary, lineLength, "  "), ...workloadLines(own, results)];
    }),
    ...endLines(results),
    "",
    ...wrap(results.advice, lineLength),
  ];
}

function aboutLines(results: Results): string[] {
  const pairs = aboutPairs(results);
  const subjects = results.subjects.map(subjectText).join(", ");
  const labels = [...pairs, ["Subjects", subjects] as const];
  const width = Math.max(...labels.map(([label]) => label.length)) + 2;
  return labels.flatMap(([label, value]) =>
    wrap(value, lineLength - width).map(
      (line, index) => (index === 0 ? `${label}:` : "").padEnd(width) + line,
    ),
  );
}

function workloadLines(contests: readonly Contest[], results: Results): string[] {
  const cases = groupBy(contests, caseKey);
  return [...cases.values()].flatMap((own) => ["", `  ${own[0]?.title}`, ...caseLines(own, results)]);
}

/** The operations below one another, in the same columns. */
function caseLines(contests: readonly Contest[], { subjects }: Results): string[] {
  const rows = contests.flatMap((contest) => {
    const reference = contest.measurements.length > 1 ? referenceOf(contest, subjects) : undefined;
    return [
      [contest.operation, ...measurementHeadings],
      ...contest.measurements.map((measurement) => {
        const [subject = "", ...figures] = measurementCells(measurement, reference);
        return [`  ${subject}`, ...figures];
      }),
    ];
  });
  const reasons = new Set(
    contests.flatMap(({ measurements }) => measurements.flatMap(({ disturbances }) => disturbances)),
  );
  return [
    ...alignColumns(rows, measurementHeadings).map((line) => `  ${line}`),
    ...[...reasons].flatMap((reason) => wrap(`! ${reason}`, lineLength, "  ")),
  ];
}

function endLines({ missing, failures, measurements }: Results): string[] {
  const lines: string[] = [];
  if (missing.length > 0) {
    lines.push("", "Missing here");
    for (const { id, reason } of missing) lines.push(...wrap(`${id}: ${reason}`, lineLength, "  "));
  }
  if (failures.length > 0) {
    lines.push("", "Failed, and left out");
    for (const { workload, title, subject, message } of failures) {
      lines.push(...wrap(`${subject}, ${workload}, ${title}: ${message}`, lineLength, "  "));
    }
  }
  if (measurements.length > 0) {
    lines.push(
      "",
      ...wrap(
        "ratio: against the fastest of Strata's drivers on the host's own file system; ±: 95 % interval of the mean; " +
          "MB and files a second are of all threads together; !: the host did something else meanwhile.",
        lineLength,
      ),
    );
  }
  return lines;
}
