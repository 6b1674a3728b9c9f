import { type Criterion, costOfDurability, criteriaOf } from "./advice/criteria.ts";
import { type Lack, lacksOf } from "./advice/lacks.ts";
import { formatMilliseconds, formatRatio, listed } from "./report/format.ts";
import type { MeasuredSubject, Results } from "./results/schema.ts";
import type { WorkloadName } from "./workload.ts";

/** From here on it is worth a word that one is faster than the other. */
const worthMentioning = 1.3;

/** One paragraph: which driver for this host, by which figures, what it lacks here, and when another would be better. */
export function adviceFor(results: Omit<Results, "advice">): string {
  const criteria = criteriaOf(results);
  const drivers = results.subjects.filter(({ kind }) => kind === "driver");
  const ranked = rank(drivers, criteria);
  const own = ranked.find(({ fileSystem }) => !fileSystem.loop);
  const [best] = ranked;
  if (best === undefined) return [withoutFigures(results, drivers), ...limitsOf(results, criteria)].join(" ");
  const chosen = own ?? best;
  const where = chosen.fileSystem.loop
    ? `No driver was measured on the host's own file system. Of those in a file made for this run, ${chosen.id} did best: it would need a disk with ${chosen.fileSystem.type}.`
    : `Use ${chosen.id} on this host, on ${chosen.fileSystem.type}${ranked.length === 1 ? ": no other driver was measured" : ""}.`;
  return [
    where,
    ...figuresOf(chosen, criteria, results),
    ...lackSentences(chosen),
    ...othersBetter(chosen, ranked, criteria),
    ...limitsOf(results, criteria),
  ].join(" ");
}

/**
 * The best first: by the geometric mean, over all criteria, of how many times as long as the fastest it takes. One that
 * lacks a criterion, since it failed or cannot do it, comes after those that do not.
 */
function rank(drivers: readonly MeasuredSubject[], criteria: readonly Criterion[]): MeasuredSubject[] {
  const scored = drivers.map((driver) => {
    const ratios = criteria.flatMap(({ milliseconds }) => {
      const own = milliseconds.get(driver.id);
      return own === undefined ? [] : [own / Math.min(...milliseconds.values())];
    });
    const logarithms = ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0);
    return { driver, measured: ratios.length, score: logarithms / ratios.length };
  });
  return scored
    .filter(({ measured }) => measured > 0)
    .toSorted((a, b) => b.measured - a.measured || a.score - b.score)
    .map(({ driver }) => driver);
}

function figuresOf(
  { id }: MeasuredSubject,
  criteria: readonly Criterion[],
  results: Omit<Results, "advice">,
): string[] {
  const durability = costOfDurability(results).get(id);
  const parts = criteria.flatMap(({ words, milliseconds }) => {
    const own = milliseconds.get(id);
    if (own === undefined) return [];
    const [slowest] = [...milliseconds]
      .filter(([other]) => !isLoop(results, other))
      .toSorted(([, a], [, b]) => b - a);
    const beside =
      slowest !== undefined && slowest[1] > own * worthMentioning
        ? ` (${slowest[0]}: ${formatMilliseconds(slowest[1])})`
        : "";
    return [`${words} takes ${formatMilliseconds(own)}${beside}`];
  });
  const figures = parts.length === 0 ? [] : [`With it, ${parts.join("; ")}.`];
  if (durability !== undefined) {
    figures.push(`That layers survive a power cut costs ${formatRatio(durability)} the time.`);
  }
  return figures;
}

function lackSentences(chosen: MeasuredSubject): string[] {
  const lacks = lacksOf(chosen);
  return lacks.length === 0
    ? ["It lacks nothing here."]
    : [`It lacks here: ${lacks.map(lackText).join("; ")}.`];
}

function lackText({ words, reason }: Lack): string {
  return reason === "" ? words : `${words} (${reason})`;
}

/** When another is the better choice: for what the chosen one lacks, and for what is done much faster. */
function othersBetter(
  chosen: MeasuredSubject,
  ranked: readonly MeasuredSubject[],
  criteria: readonly Criterion[],
): string[] {
  const others = ranked.filter((other) => other !== chosen);
  // What is there as it is comes before what needs another disk.
  const near = others.filter(({ fileSystem }) => fileSystem.loop === chosen.fileSystem.loop);
  const far = others.filter((other) => !near.includes(other));
  const reasons = new Map<MeasuredSubject, string[]>();
  const add = (other: MeasuredSubject, reason: string) =>
    reasons.set(other, [...(reasons.get(other) ?? []), reason]);

  for (const { name, words } of lacksOf(chosen)) {
    const having = [...near, ...far].find((other) => !lacksOf(other).some((lack) => lack.name === name));
    if (having !== undefined) add(having, `you need ${words}`);
  }
  for (const { words, milliseconds } of criteria) {
    let shortest = milliseconds.get(chosen.id) ?? 0;
    for (const group of [near, far]) {
      const fastest = group
        .filter(({ id }) => milliseconds.has(id))
        .toSorted((a, b) => (milliseconds.get(a.id) ?? 0) - (milliseconds.get(b.id) ?? 0))[0];
      const time = fastest === undefined ? undefined : milliseconds.get(fastest.id);
      if (fastest === undefined || time === undefined || time * worthMentioning > shortest) continue;
      shortest = time;
      add(fastest, `${words} matters most (${formatMilliseconds(time)})`);
    }
  }
  const parts = [...reasons].map(([{ id, fileSystem }, own]) => {
    const disk =
      fileSystem.loop && !chosen.fileSystem.loop ? ` (which needs a disk with ${fileSystem.type})` : "";
    return `${id}${disk}, if ${own.join(", or ")}`;
  });
  return parts.length === 0 ? [] : [`Better may be: ${parts.join("; ")}.`];
}

function withoutFigures({ missing }: Omit<Results, "advice">, drivers: readonly MeasuredSubject[]): string {
  const names = drivers.filter(({ fileSystem }) => !fileSystem.loop).map(({ id }) => id);
  if (names.length > 0) return `No figures to choose a driver by: ${listed(names)} can be used here.`;
  const reasons = missing.filter(({ kind }) => kind === "driver").map(({ id, reason }) => `${id}: ${reason}`);
  return `No driver can be used here.${reasons.length > 0 ? ` ${reasons.join("; ")}.` : ""}`;
}

/** The workloads of {@link criteriaOf}. */
const chosenBy: readonly WorkloadName[] = ["apply", "store", "lifecycle", "copy-up", "changes"];

/** What the advice rests on, where that is less than it could be. */
function limitsOf(
  { options, measurements, missing, failures, subjects }: Omit<Results, "advice">,
  criteria: readonly Criterion[],
): string[] {
  const limits: string[] = [];
  const left = chosenBy.filter((name) => !measurements.some(({ workload }) => workload === name));
  if (left.length > 0 && criteria.length > 0)
    limits.push(`${listed(left)} ${left.length === 1 ? "was" : "were"} not measured`);
  if (options.scale === "quick" && criteria.length > 0)
    limits.push("a quick run tells large differences only");
  const disturbed = measurements.filter(({ disturbances }) => disturbances.length > 0).length;
  if (disturbed > 0)
    limits.push(`the host did something else during ${disturbed} of ${measurements.length} measurements`);
  const failed = [...new Set(failures.map(({ subject }) => subject))].filter((id) =>
    subjects.some((subject) => subject.id === id && subject.kind === "driver"),
  );
  if (failed.length > 0) limits.push(`${listed(failed)} failed in some cases`);
  const absent = missing.filter(({ kind }) => kind === "driver").map(({ id }) => id);
  if (absent.length > 0 && criteria.length > 0) limits.push(`${listed(absent)} cannot be used here as it is`);
  return limits.length === 0 ? [] : [`Note: ${limits.join("; ")}.`];
}

function isLoop({ subjects }: Omit<Results, "advice">, id: string): boolean {
  return subjects.some((subject) => subject.id === id && subject.fileSystem.loop);
}
