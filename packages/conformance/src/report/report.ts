import type { Capabilities } from "@strata/core";
import type { Group } from "../behaviour.ts";
import { groups } from "../groups/index.ts";
import type { Result } from "../run-conformance.ts";

/** What came of a run of the suite, as `strata conformance --json` prints it. */
export interface Report {
  /** Goes up when a field changes its meaning or goes; new fields may come without. */
  readonly schemaVersion: 1;
  readonly driver: ReportedDriver;
  readonly host: Host;
  /** When the run began, as ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** What was asked for with `--filter`. */
  readonly filter?: string;
  readonly totals: Totals;
  /** Groups without a behaviour that was asked for are left out. */
  readonly groups: readonly ReportedGroup[];
}

export interface ReportedDriver {
  readonly name: string;
  /** The URL of its module, and the name of the factory that this exports. */
  readonly module: string;
  readonly factory: string;
  /** As the driver itself says. */
  readonly capabilities: Capabilities;
}

/** What the outcome depends on. */
export interface Host {
  readonly kernel: string;
  readonly architecture: string;
  /** Where the driver's roots were, and the type of its file system. */
  readonly directory: string;
  readonly fileSystem: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly node: string;
  /** Whether the run had root's privileges. */
  readonly root: boolean;
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface ReportedGroup {
  readonly name: string;
  readonly title: string;
  readonly totals: Totals;
  readonly behaviours: readonly ReportedBehaviour[];
}

export interface ReportedBehaviour {
  readonly id: string;
  readonly title: string;
  readonly status: "passed" | "failed" | "skipped";
  /** How long it took; absent, if it was skipped. */
  readonly durationMs?: number;
  /** Why it was skipped, in words. */
  readonly reason?: string;
  /** Whether it was skipped for what the host lacks; else for what the driver is. */
  readonly missing?: boolean;
  /** What did not hold. */
  readonly error?: { readonly message: string; readonly stack?: string };
}

/** Put the results of a run together. */
export function makeReport(
  about: Pick<Report, "driver" | "host" | "startedAt" | "durationMs" | "filter">,
  results: readonly Result[],
): Report {
  const reported = groups.map((group) => reportGroup(group, results));
  return {
    schemaVersion: 1,
    ...about,
    totals: totalsOf(reported.flatMap(({ behaviours }) => behaviours)),
    groups: reported.filter(({ behaviours }) => behaviours.length > 0),
  };
}

/** Put together those of the results that are a group's. */
export function reportGroup({ name, title }: Group, results: readonly Result[]): ReportedGroup {
  const behaviours = results.filter(({ group }) => group.name === name).map(reportBehaviour);
  return { name, title, totals: totalsOf(behaviours), behaviours };
}

function reportBehaviour({ behaviour: { id, title }, outcome }: Result): ReportedBehaviour {
  const { status } = outcome;
  if (status === "skipped") {
    return { id, title, status, reason: outcome.reason, missing: outcome.missing };
  }
  const durationMs = Math.round(outcome.ms);
  if (status === "passed") return { id, title, status, durationMs };
  const { message, stack } = outcome.error;
  return { id, title, status, durationMs, error: { message, ...(stack !== undefined && { stack }) } };
}

function totalsOf(behaviours: readonly ReportedBehaviour[]): Totals {
  const count = (status: ReportedBehaviour["status"]) =>
    behaviours.filter((each) => each.status === status).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}
