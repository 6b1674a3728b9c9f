import { alignColumns, wrap } from "../report/columns.ts";
import { formatMilliseconds, formatRatio } from "../report/format.ts";
import { groupBy } from "../results/cases.ts";
import type { Measurement } from "../results/schema.ts";
import type { Comparison, Pair, Verdict } from "./compare-results.ts";

const lineLength = 100;

const headings: readonly (readonly [Verdict, string])[] = [
  ["slower", "Slower in b, worst first"],
  ["faster", "Faster in b"],
  ["no difference to be seen", "No difference to be seen"],
  ["not to be told", "Not to be told: measured once only, in one of them"],
];

/** A comparison as text. */
export function compareLines({ a, b, pairs, differences, onlyInA, onlyInB }: Comparison): string[] {
  return [
    ...wrap(`a: ${a}`, lineLength),
    ...wrap(`b: ${b}`, lineLength),
    ...differences.flatMap(({ what, a: first, b: second }) =>
      wrap(`${what}: ${first || "none"} → ${second || "none"}`, lineLength, "   "),
    ),
    ...headings.flatMap(([verdict, heading]) =>
      verdictLines(
        heading,
        pairs.filter((pair) => pair.verdict === verdict),
      ),
    ),
    ...onlyLines("Only in a", onlyInA),
    ...onlyLines("Only in b", onlyInB),
    "",
    ...wrap(summary(pairs), lineLength),
  ];
}

function verdictLines(heading: string, pairs: readonly Pair[]): string[] {
  if (pairs.length === 0) return [];
  const columns = ["ratio", "99 % interval", "a", "b"];
  const rows = pairs.map(({ a, b, ratio: { value, from, to } }) => [
    "",
    formatRatio(value),
    from === undefined || to === undefined ? "" : `${formatRatio(from)} to ${formatRatio(to)}`,
    formatMilliseconds(a.statistics.medianMilliseconds),
    formatMilliseconds(b.statistics.medianMilliseconds),
  ]);
  const names = ["", ...pairs.map(nameOf)];
  // Names come last: they may be long.
  const lines = alignColumns([["", ...columns], ...rows], columns);
  return ["", heading, ...lines.map((line, index) => `${line}  ${names[index]}`.trimEnd())];
}

function onlyLines(heading: string, measurements: readonly Measurement[]): string[] {
  if (measurements.length === 0) return [];
  const names = groupBy(measurements, ({ subject, workload }) => `${subject}, ${workload}`);
  const lines = [...names].flatMap(([name, own]) => {
    const titles = new Set(own.map(({ title }) => title));
    return wrap(`${name}: ${[...titles].join("; ")}`, lineLength, "  ");
  });
  return ["", heading, ...lines];
}

/** `overlay2, stat, on a chain of 10` */
function nameOf({ a, b }: Pair): string {
  const { subject, operation, title, workload } = a;
  const isDisturbed = a.disturbances.length + b.disturbances.length > 0;
  return `${isDisturbed ? "! " : ""}${subject}, ${operation === workload ? "" : `${operation}, `}${title}`;
}

function summary(pairs: readonly Pair[]): string {
  const count = (verdict: Verdict) => pairs.filter((pair) => pair.verdict === verdict).length;
  if (pairs.length === 0) return "Nothing was measured in both.";
  const disturbed = pairs.some(({ a, b }) => a.disturbances.length + b.disturbances.length > 0);
  const unsure = count("not to be told");
  return (
    `Of ${pairs.length} that both have, b is slower in ${count("slower")} and faster in ${count("faster")}; in ` +
    `${count("no difference to be seen")} the difference is within the noise` +
    (unsure > 0 ? `, and of ${unsure} it is not to be told` : "") +
    ". A ratio is how many times as long b takes; a difference counts beyond 5 % and outside of the 99 % interval." +
    (disturbed ? " !: the host did something else meanwhile, in one of them: measure these again." : "")
  );
}
