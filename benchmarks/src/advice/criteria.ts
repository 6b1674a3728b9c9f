import { formatBytes } from "../report/format.ts";
import { parameterText } from "../report/plots/words.ts";
import { type Contest, contestsOf } from "../results/cases.ts";
import type { Measurement, Results } from "../results/schema.ts";
import type { WorkloadName } from "../workload.ts";

/** What drivers are chosen by. */
export interface Criterion {
  /** What is done, as the subject of a sentence with "takes": `applying 20 MB in 1,000 files`. */
  readonly words: string;
  /** Of those that were measured, by subject. */
  readonly milliseconds: ReadonlyMap<string, number>;
}

type Wanted = (contest: Contest) => boolean;

/** The criteria that something was measured for: each by its largest case, which tells drivers apart best. */
export function criteriaOf(results: Pick<Results, "measurements" | "subjects">): Criterion[] {
  const drivers = new Set(results.subjects.filter(({ kind }) => kind === "driver").map(({ id }) => id));
  const contests = contestsOf(results).map((contest) => ({
    ...contest,
    measurements: contest.measurements.filter(({ subject }) => drivers.has(subject)),
  }));
  const largest = (size: (contest: Contest) => number, wanted: Wanted): Contest | undefined =>
    contests
      .filter((contest) => contest.measurements.length > 0 && wanted(contest))
      // Where some drivers are left out, there is less to choose by.
      .toSorted(
        (a, b) =>
          b.measurements.length - a.measurements.length || size(b) - size(a) || threadsOf(b) - threadsOf(a),
      )[0];
  const by =
    (name: string) =>
    ({ parameters }: Contest) =>
      Number(parameters[name] ?? 0);
  const isOf =
    (workload: WorkloadName, operation: string): Wanted =>
    (contest) =>
      contest.workload === workload && contest.operation === operation;
  const isApply = isOf("apply", "apply");

  const applied = largest(bytesOf, (each) => isApply(each) && each.parameters["durable"] !== true);
  const durable = largest(bytesOf, (each) => isApply(each) && each.parameters["durable"] === true);
  const prepared = largest(by("parentFiles"), isOf("lifecycle", "prepare"));
  const mounted =
    prepared && contests.find((each) => isSameCase(each, prepared) && each.operation === "mount");
  const written = largest(by("fileBytes"), isOf("copy-up", "first byte"));
  const listed = largest(by("files"), isOf("changes", "changes"));
  const loaded = largest(bytesOf, isOf("store", "load"));
  return [
    applied && criterion(`applying ${amount(applied)}`, applied),
    durable && criterion(`applying ${amount(durable)} durably`, durable),
    loaded && criterion(`loading an image of ${amount(loaded)}`, loaded),
    prepared &&
      mounted &&
      criterion(`making a container${ofFiles(prepared, "parentFiles", " on")} ready`, prepared, mounted),
    written &&
      criterion(
        `the first write to a file of ${parameterText("fileBytes", by("fileBytes")(written))}`,
        written,
      ),
    listed && criterion(`listing the changes${ofFiles(listed, "files", " in")}`, listed),
  ].filter((each) => each !== undefined);
}

/** How many times as long each driver takes to apply the same layers, if they are to survive a power cut. */
export function costOfDurability(results: Pick<Results, "measurements">): ReadonlyMap<string, number> {
  const isApply = ({ workload, operation }: Measurement) => workload === "apply" && operation === "apply";
  const plainOf = (durable: Measurement) =>
    results.measurements.find(
      (each) =>
        isApply(each) &&
        each.subject === durable.subject &&
        sameParameters(each.parameters, { ...durable.parameters, durable: false }),
    );
  const ratios = new Map<string, number>();
  for (const durable of results.measurements.filter(
    (each) => isApply(each) && each.parameters["durable"] === true,
  )) {
    const plain = plainOf(durable);
    if (plain === undefined) continue;
    ratios.set(durable.subject, durable.statistics.medianMilliseconds / plain.statistics.medianMilliseconds);
  }
  return ratios;
}

function criterion(words: string, ...contests: readonly Contest[]): Criterion {
  const [first, ...others] = contests;
  const milliseconds = new Map<string, number>();
  for (const { subject, statistics } of first?.measurements ?? []) {
    const rest = others.map(({ measurements }) => measurements.find((each) => each.subject === subject));
    if (rest.includes(undefined)) continue;
    const sum = rest.reduce((total, each) => total + (each?.statistics.medianMilliseconds ?? 0), 0);
    milliseconds.set(subject, statistics.medianMilliseconds + sum);
  }
  return { words, milliseconds };
}

function isSameCase(a: Contest, b: Contest): boolean {
  return a.workload === b.workload && a.title === b.title && sameParameters(a.parameters, b.parameters);
}

function sameParameters(a: Contest["parameters"], b: Contest["parameters"]): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

/** How many worked at it, whoever started them. */
function threadsOf({ parameters, threads }: Contest): number {
  return Number(parameters["threads"] ?? threads);
}

function bytesOf({ parameters, measurements: [first] }: Contest): number {
  return Number(parameters["bytes"] ?? first?.workBytes ?? 0);
}

/** `20 MB in 1,000 files` */
function amount(contest: Contest): string {
  const files = contest.parameters["files"] ?? contest.measurements[0]?.workFiles;
  const bytes = bytesOf(contest);
  const size = bytes > 0 ? formatBytes(bytes) : "it";
  return files === undefined ? size : `${size} in ${files.toLocaleString("en")} files`;
}

function ofFiles({ parameters }: Contest, name: string, joint: string): string {
  const files = parameters[name];
  return files === undefined ? "" : `${joint} ${files.toLocaleString("en")} files`;
}
