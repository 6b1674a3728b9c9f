import type { Host, Report, ReportedBehaviour, ReportedDriver, ReportedGroup, Totals } from "./report.ts";

/** Driver and host, in lines of text. */
export function aboutLines(driver: ReportedDriver, host: Host): string[] {
  return [
    `Driver: ${driver.name} (${driver.factory} of ${driver.module})`,
    `Directory: ${host.directory} (${host.fileSystem})`,
    `Kernel: ${host.kernel} (${host.architecture}), ${host.root ? "as root" : "as an ordinary user"}`,
    `CPU: ${host.processor}, ${host.processors} usable`,
    `Memory: ${(host.memoryBytes / 2 ** 30).toFixed(1)} GiB`,
    `Node.js: ${host.node}`,
  ];
}

/** A group's totals, what failed in it, and why something was skipped, in lines of text. */
export function groupLines({ title, totals, behaviours }: ReportedGroup): string[] {
  const failed = behaviours.filter(({ status }) => status === "failed");
  return [
    `${title}: ${totalsText(totals)}`,
    ...failed.flatMap(failureLines),
    ...[...skippedByReason(behaviours)].map(([reason, ids]) => `  skipped: ${ids.join(", ")}: ${reason}`),
  ];
}

/** The last line. */
export function summaryLine({ totals, durationMs }: Pick<Report, "totals" | "durationMs">): string {
  const all = totals.passed + totals.failed + totals.skipped;
  return `${all} ${all === 1 ? "behaviour" : "behaviours"} in ${(durationMs / 1000).toFixed(1)} s: ${totalsText(totals)}`;
}

/** `3 passed, 1 failed, 0 skipped` */
export function totalsText({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The ids of what was skipped, by reason. */
function skippedByReason(behaviours: readonly ReportedBehaviour[]): Map<string, string[]> {
  const byReason = new Map<string, string[]>();
  for (const { id, reason } of behaviours) {
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  }
  return byReason;
}

function failureLines({ id, title, error }: ReportedBehaviour): string[] {
  const message = error?.message.trimEnd().split("\n") ?? [];
  return [`  FAILED ${id}: ${title}`, ...message.map((line) => `    ${line}`)];
}
