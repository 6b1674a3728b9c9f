import type { Behaviour, Need } from "./behaviour.ts";
import type { DriverUnderTest } from "./driver-under-test.ts";
import { groups } from "./groups/index.ts";
import { notInTheSuite } from "./not-in-the-suite.ts";

/** What the page says of a driver, as its own test restates it. */
export type CataloguedDriver = Pick<DriverUnderTest, "name" | "supports" | "persistent"> & {
  readonly processes: boolean;
};

const origins: readonly (readonly [string, string])[] = [
  ["M", "moby's suite for graph drivers"],
  ["S", "containers/storage"],
  ["C", "containerd: snapshotters and metadata store"],
  ["A", "containerd: its archive package, and the FSSuite of continuity"],
  ["U", "umoci"],
  ["N", "none of these"],
];

/** The page that lists the suite, in Markdown. */
export function cataloguePage(drivers: readonly CataloguedDriver[]): string {
  const count = groups.reduce((sum, { behaviours }) => sum + behaviours.length, 0);
  return `# The conformance suite

${count} behaviours that every storage driver is held to, in ${groups.length} groups. This page is written by the suite itself, with
\`npm run docs:conformance\`; a test fails when it is stale. How to run the suite on a driver, and how to read what comes of
it, is in [the package's README](../packages/conformance/README.md).

**Origin** says whose suite tests it too:

${table(["", "Suite"], origins)}

**Run** says which drivers of this repository run it, by what their own tests say that they can do:

${table(
  ["", ...drivers.map(({ name }) => name)],
  capabilityNames(drivers).map((name) => [
    `\`${name}\``,
    ...drivers.map(({ supports }) => yesOrNo(Object.entries(supports).find(([key]) => key === name)?.[1])),
  ]),
)}

The one called memory implements the interface outright, without the helpers of core; it is what the suite is tested
with. Where a driver lacks what a behaviour needs, another behaviour (\`no ...\`) takes its place wherever there is
something to hold it to. A facility of the host that is missing skips, with the reason; in CI it fails.

${groups.map(({ title, behaviours }) => groupSection(title, behaviours, drivers)).join("\n\n")}

## Not in the suite

What suites of others test, or one could ask for, and where it is proven instead.

${table(
  ["Behaviour", "Origin", "Why, and where instead"],
  notInTheSuite.map(({ id, origin, reason }) => [`\`${id}\``, origin, reason]),
)}
`;
}

function groupSection(
  title: string,
  behaviours: readonly Behaviour[],
  drivers: readonly CataloguedDriver[],
): string {
  const rows = behaviours.map((behaviour) => [
    `\`${behaviour.id}\``,
    behaviour.title,
    behaviour.origin,
    (behaviour.needs ?? []).map(needText).join(", "),
    runBy(behaviour, drivers),
  ]);
  const heading = `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
  return `## ${heading}\n\n${behaviours.length} behaviours.\n\n${table(["Behaviour", "What holds", "Origin", "Needs", "Run"], rows)}`;
}

function needText(need: Need): string {
  if (need.startsWith("host:")) return `\`${need.slice(5)}\` on the host`;
  if (need === "state on disk" || need === "processes") return need;
  return need.startsWith("no ") ? `no \`${need.slice(3)}\`` : `\`${need}\``;
}

function runBy({ needs = [] }: Behaviour, drivers: readonly CataloguedDriver[]): string {
  const running = drivers.filter((driver) => needs.every((need) => has(driver, need)));
  if (running.length === drivers.length) return "all";
  return running.map(({ name }) => name).join(", ") || "none here";
}

function has({ supports, persistent, processes }: CataloguedDriver, need: Need): boolean {
  if (need.startsWith("host:")) return true;
  if (need === "state on disk") return persistent !== false;
  if (need === "processes") return processes;
  const lacks = need.startsWith("no ");
  const name = lacks ? need.slice(3) : need;
  return Object.entries(supports).find(([key]) => key === name)?.[1] !== lacks;
}

function capabilityNames(drivers: readonly CataloguedDriver[]): string[] {
  return Object.keys(drivers[0]?.supports ?? {});
}

function yesOrNo(value: boolean | number | undefined): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), `|${heads.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
