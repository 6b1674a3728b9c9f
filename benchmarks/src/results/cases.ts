import type { MeasuredSubject, Measurement, Results } from "./schema.ts";

/** What several subjects did alike: the measurements of one operation of one case. */
export interface Contest {
  readonly workload: string;
  readonly title: string;
  readonly parameters: Measurement["parameters"];
  readonly threads: number;
  readonly operation: string;
  readonly measurements: readonly Measurement[];
}

/** In the order in which they were measured. */
export function contestsOf({ measurements }: Pick<Results, "measurements">): Contest[] {
  return [...groupBy(measurements, contestKey).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { workload, title, parameters, threads, operation } = first;
    return [{ workload, title, parameters, threads, operation, measurements: group }];
  });
}

/** In the order of the first of each group. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** The same for the same operation of the same case, in any run. */
export function contestKey({ workload, title, parameters, threads, operation }: Measurement): string {
  return JSON.stringify([workload, title, sortedEntries(parameters), threads, operation]);
}

/** The same for all operations of a case. */
export function caseKey({ workload, title, parameters, threads }: Contest): string {
  return JSON.stringify([workload, title, sortedEntries(parameters), threads]);
}

function sortedEntries(parameters: Measurement["parameters"]): [string, string | number | boolean][] {
  return Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** In units a second. */
export interface Throughput {
  readonly bytes?: number;
  readonly files?: number;
}

/**
 * Of all threads together: what they handle in the median time. The time between iterations, in which the next one's
 * input is made, does not count.
 */
export function throughputOf({ threads, workBytes, workFiles, statistics }: Measurement): Throughput {
  const perSecond = (threads * 1000) / statistics.medianMilliseconds;
  return {
    ...(workBytes !== undefined && { bytes: workBytes * perSecond }),
    ...(workFiles !== undefined && { files: workFiles * perSecond }),
  };
}

/**
 * What the others are compared with: the fastest driver on the host's own file system, or else the fastest driver.
 * @returns undefined, if no driver takes part
 */
export function referenceOf(contest: Contest, subjects: readonly MeasuredSubject[]): Measurement | undefined {
  const fastest = (takes: (subject: MeasuredSubject) => boolean) =>
    contest.measurements
      .filter((measurement) =>
        subjects.some((subject) => subject.id === measurement.subject && takes(subject)),
      )
      .toSorted((a, b) => a.statistics.medianMilliseconds - b.statistics.medianMilliseconds)[0];
  return (
    fastest(({ kind, fileSystem }) => kind === "driver" && !fileSystem.loop) ??
    fastest(({ kind }) => kind === "driver")
  );
}

/**
 * How much the block device wrote for one iteration, by the median of the rounds; undefined where it was not counted.
 * Cases differ in how many iterations a round of theirs has.
 */
export function writtenBytesOf({ rounds }: Measurement): number | undefined {
  return middle(
    rounds.flatMap(({ writtenBytes, samplesMilliseconds: { length } }) =>
      writtenBytes === undefined ? [] : writtenBytes / length,
    ),
  );
}

/** The most memory that a command ever had; undefined where none was run. */
export function peakBytesOf({ rounds }: Measurement): number | undefined {
  const peaks = rounds.flatMap(({ peakBytes }) => peakBytes ?? []);
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}

function middle(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
