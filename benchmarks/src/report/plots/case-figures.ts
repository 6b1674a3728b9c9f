import { type Contest, caseKey, groupBy, referenceOf } from "../../results/cases.ts";
import type { Measurement, Results } from "../../results/schema.ts";
import { intervalOf } from "../../results/spread.ts";
import { fewSamples, measurementCells, measurementHeadings } from "../cells.ts";
import { formatMilliseconds, formatRatio } from "../format.ts";
import type { BarPlot, PageSubject, Plot, StripPlot } from "../page/plot.ts";
import { linearAxis, logAxis, timeUnit } from "./axis.ts";
import type { Figure } from "./figure.ts";

/** More dots than that are not to be told apart. */
const mostDots = 300;

/** Each case with its distributions, and with bars where there is something to compare. */
export function caseFigures(
  contests: readonly Contest[],
  results: Pick<Results, "subjects">,
  subjects: readonly PageSubject[],
  nextId: () => string,
): Figure[] {
  const indexOf = ({ subject }: Measurement) => subjects.findIndex(({ id }) => id === subject);
  return [...groupBy(contests, caseKey).values()].map((own): Figure => {
    const references = new Map(
      own.map((contest) => [
        contest,
        contest.measurements.length > 1 ? referenceOf(contest, results.subjects) : undefined,
      ]),
    );
    const compared = own.filter((contest) => isCompared(contest, own, results));
    const bars = compared.map((contest) => barPlot(contest, references.get(contest), indexOf, nextId));
    const measurements = own.flatMap((contest) => contest.measurements);
    const plots: Plot[] = [
      ...bars,
      stripPlot(own, { references, withBars: new Set(compared) }, indexOf, nextId),
    ];
    const rows = own.flatMap((contest) =>
      contest.measurements.map((measurement) => [
        contest.operation,
        ...measurementCells(measurement, references.get(contest)),
      ]),
    );
    return {
      title: own[0]?.title ?? "",
      caption: [
        bars.length > 0 ? "Bars: the median with its 95 % interval." : "",
        "Dots: each sample, the mark is the median. Lower is better.",
      ]
        .join(" ")
        .trim(),
      plots,
      subjects: [...new Set(measurements.map(indexOf))].toSorted((a, b) => a - b),
      numbers: [["operation", "subject", ...measurementHeadings], ...rows],
      disturbances: [...new Set(measurements.flatMap(({ disturbances }) => disturbances))],
    };
  });
}

/** Peers always are; among drivers, the dots of many operations in one plot tell enough. */
function isCompared(
  { measurements }: Contest,
  { length: operations }: readonly Contest[],
  { subjects }: Pick<Results, "subjects">,
): boolean {
  const hasPeer = measurements.some(({ subject }) =>
    subjects.some(({ id, kind }) => id === subject && kind === "peer"),
  );
  return measurements.length > 1 && (hasPeer || operations <= 2);
}

function barPlot(
  { operation, measurements }: Contest,
  reference: Measurement | undefined,
  indexOf: (measurement: Measurement) => number,
  nextId: () => string,
): BarPlot {
  const medians = measurements.map(({ statistics }) => statistics.medianMilliseconds);
  const { name, factor } = timeUnit([Math.max(...medians)]);
  const longest = Math.max(...medians);
  const bars = measurements.map((measurement) => {
    const { medianMilliseconds: value } = measurement.statistics;
    const interval = intervalOf(measurement.rounds, 95);
    const ratio = reference && value / reference.statistics.medianMilliseconds;
    return {
      subject: indexOf(measurement),
      value: value * factor,
      text: [formatMilliseconds(value), ...(ratio === undefined ? [] : [formatRatio(ratio)])].join("  "),
      ...(interval && { from: interval.from * factor, to: interval.to * factor }),
    };
  });
  // An interval of few rounds can be many times as long as the bars: it leaves the plot then.
  const most = Math.max(...bars.map(({ value, to = value }) => Math.min(to, longest * factor * 1.3)));
  return {
    kind: "bars",
    id: nextId(),
    description: `${operation}: median time of each subject, as bars`,
    x: linearAxis(`${operation}, ${name}`, Math.max(most, longest * factor)),
    bars,
  };
}

interface StripOptions {
  readonly references: ReadonlyMap<Contest, Measurement | undefined>;
  /** Those whose medians bars say already. */
  readonly withBars: ReadonlySet<Contest>;
}

function stripPlot(
  contests: readonly Contest[],
  { references, withBars }: StripOptions,
  indexOf: (measurement: Measurement) => number,
  nextId: () => string,
): StripPlot {
  const measurements = contests.flatMap((contest) => contest.measurements);
  const all = measurements.flatMap(({ statistics: { minimumMilliseconds, maximumMilliseconds } }) => [
    minimumMilliseconds,
    maximumMilliseconds,
  ]);
  const { name, factor } = timeUnit(measurements.map(({ statistics }) => statistics.medianMilliseconds));
  const operations = contests.map(({ operation }) => operation).join(", ");
  return {
    kind: "strips",
    id: nextId(),
    description: `${operations}: the samples of each subject, as dots on a logarithmic scale`,
    x: logAxis(
      contests.length > 1 ? name : `${operations}, ${name}`,
      all.map((value) => value * factor),
    ),
    groups: contests.map((contest) => ({
      title: contest.operation,
      strips: contest.measurements.map((measurement) => {
        const { medianMilliseconds } = measurement.statistics;
        return {
          subject: indexOf(measurement),
          samples: someOf(measurement).map((sample) => rounded(sample * factor)),
          median: medianMilliseconds * factor,
          text: withBars.has(contest)
            ? reachText(measurement)
            : medianText(measurement, references.get(contest)),
        };
      }),
    })),
  };
}

function medianText({ statistics }: Measurement, reference: Measurement | undefined): string {
  const median = formatMilliseconds(statistics.medianMilliseconds);
  if (reference === undefined) return median;
  return `${median}  ${formatRatio(statistics.medianMilliseconds / reference.statistics.medianMilliseconds)}`;
}

function reachText({ statistics: { samples, p99Milliseconds, maximumMilliseconds } }: Measurement): string {
  return samples < fewSamples
    ? `up to ${formatMilliseconds(maximumMilliseconds)}`
    : `p99 ${formatMilliseconds(p99Milliseconds)}`;
}

/** All samples; or evenly chosen ones by rank, the shortest and the longest included. */
function someOf({ rounds }: Measurement): number[] {
  const samples = rounds.flatMap(({ samplesMilliseconds }) => samplesMilliseconds).toSorted((a, b) => a - b);
  if (samples.length <= mostDots) return samples;
  return Array.from(
    { length: mostDots },
    (_, index) => samples[Math.round((index * (samples.length - 1)) / (mostDots - 1))] ?? 0,
  );
}

/** Four digits are more than a screen has dots. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
