import { contestKey } from "../results/cases.ts";
import type { Measurement, Results } from "../results/schema.ts";
import { type Estimate, ratioOf } from "../results/spread.ts";

/** What a difference comes to. */
export type Verdict =
  | "slower"
  | "faster"
  | "no difference to be seen"
  /** One of the two was measured once only. */
  | "not to be told";

/** The same operation of the same case and subject in both runs. */
export interface Pair {
  readonly a: Measurement;
  readonly b: Measurement;
  /** How many times as long `b` takes, with its 99 % interval where there is one. */
  readonly ratio: Pick<Estimate, "value"> & Partial<Estimate>;
  readonly verdict: Verdict;
}

/** Two runs side by side. */
export interface Comparison {
  /** Which run is which: host, kernel, version and time. */
  readonly a: string;
  readonly b: string;
  /** What the runs do not have in common, in words: each can be the reason for what differs. */
  readonly differences: readonly { readonly what: string; readonly a: string; readonly b: string }[];
  /** Those that `b` does worst first. */
  readonly pairs: readonly Pair[];
  readonly onlyInA: readonly Measurement[];
  readonly onlyInB: readonly Measurement[];
}

/**
 * What two runs of one host and one commit can differ by, however sure each of them is of itself: memory, disk and data
 * lie elsewhere the next time. Source: T. Kalibera and R. Jones, Rigorous Benchmarking in Reasonable Time (ISMM 2013).
 */
const betweenRuns = 1.05;

/**
 * Compare `b` with `a`: two hosts, or two commits on one. A difference counts if the 99 % interval of the ratio leaves
 * out 1 and the ratio is more than 5 % away from it: of a hundred cases without any difference, hardly one is said to
 * have one.
 */
export function compareResults(a: Results, b: Results): Comparison {
  const inB = new Map(b.measurements.map((measurement) => [keyOf(measurement), measurement]));
  const inA = new Set(a.measurements.map(keyOf));
  const pairs = a.measurements.flatMap((measurement) => {
    const other = inB.get(keyOf(measurement));
    return other === undefined ? [] : [pairOf(measurement, other)];
  });
  return {
    a: runText(a),
    b: runText(b),
    differences: differencesOf(a, b),
    pairs: pairs.toSorted((first, second) => second.ratio.value - first.ratio.value),
    onlyInA: a.measurements.filter((measurement) => !inB.has(keyOf(measurement))),
    onlyInB: b.measurements.filter((measurement) => !inA.has(keyOf(measurement))),
  };
}

/** `host, Linux 6.18.1, strata 0.1.0 (commit), 2026-11-21T18:00:00Z` */
function runText({ host, strata, startedAt }: Results): string {
  return `${host.name}, Linux ${host.kernel}, strata ${versionText(strata)}, ${startedAt}`;
}

function versionText({ version, commit }: Results["strata"]): string {
  return commit === undefined ? version : `${version} (${commit})`;
}

function keyOf(measurement: Measurement): string {
  return JSON.stringify([contestKey(measurement), measurement.subject]);
}

function pairOf(a: Measurement, b: Measurement): Pair {
  const ratio = ratioOf(a.rounds, b.rounds, 99);
  if (ratio === undefined) {
    const value = b.statistics.medianMilliseconds / a.statistics.medianMilliseconds;
    return { a, b, ratio: { value }, verdict: "not to be told" };
  }
  return { a, b, ratio, verdict: verdictOf(ratio) };
}

function verdictOf({ value, from, to }: Estimate): Verdict {
  if (from > 1 && value > betweenRuns) return "slower";
  if (to < 1 && value < 1 / betweenRuns) return "faster";
  return "no difference to be seen";
}

function differencesOf(a: Results, b: Results): Comparison["differences"] {
  const [first, second] = [traitsOf(a), traitsOf(b)];
  return Object.keys(first)
    .map((what) => ({ what, a: first[what] ?? "", b: second[what] ?? "" }))
    .filter((each) => each.a !== each.b);
}

function traitsOf({ host, options, strata, subjects }: Results): Readonly<Record<string, string>> {
  const versions = subjects
    .filter(({ kind }) => kind === "peer")
    .map(({ id, version }) => `${id} ${version}`);
  const fileSystems = subjects.map(({ fileSystem: { type, loop } }) => (loop ? `${type} (loop)` : type));
  return {
    strata: versionText(strata),
    host: host.name,
    kernel: host.kernel,
    architecture: host.architecture,
    CPU: `${host.processor}, ${host.processors} usable`,
    memory: `${(host.memoryBytes / 2 ** 30).toFixed(1)} GiB`,
    "file systems": [...new Set(fileSystems)].join(", "),
    "Node.js": host.node,
    root: host.root ? "yes" : "no",
    scale: options.scale,
    "page cache": options.cache,
    data: options.archive ?? `made from seed ${options.seed}`,
    peers: versions.join(", "),
  };
}
