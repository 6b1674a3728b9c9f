import { contestsOf } from "../../results/cases.ts";
import type { Results } from "../../results/schema.ts";
import { caseFigures } from "./case-figures.ts";
import type { Chapter } from "./figure.ts";
import { pageSubjects } from "./subjects.ts";
import { trendFigures } from "./trends.ts";

/** All figures, workload by workload. What was not measured has none. */
export function chaptersOf(results: Results): Chapter[] {
  const subjects = pageSubjects(results);
  const contests = contestsOf(results);
  let count = 0;
  const nextId = () => `plot-${++count}`;
  return results.workloads.flatMap(({ name, title, summary }) => {
    const own = contests.filter(({ workload }) => workload === name);
    if (own.length === 0) return [];
    const trends = trendFigures(
      own.flatMap(({ measurements }) => measurements),
      subjects,
      nextId,
    );
    return [{ name, title, summary, trends, cases: caseFigures(own, results, subjects, nextId) }];
  });
}
