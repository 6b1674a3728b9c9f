import type { ProgressReport } from "@strata/benchmarks";
import type { Output } from "../output.ts";
import { StatusLine } from "../progress/status-line.ts";

/** Shows how far a run is: a line in place on a terminal, elsewhere a line for each workload. */
export class ProgressView implements Disposable {
  readonly #output: Output;
  readonly #status: StatusLine;
  #workload: string | undefined;

  constructor(output: Output) {
    this.#output = output;
    this.#status = new StatusLine(output);
  }

  show(report: ProgressReport): void {
    if (this.#output.isTerminal) this.#status.set(lineOf(report));
    else if (report.workload !== this.#workload) {
      const { workload, casesDone, cases, remainingMilliseconds } = report;
      const text = `${workload}: case ${casesDone + 1} of ${cases}, ${formatRemaining(remainingMilliseconds)}`;
      // Progress is not worth waiting for, nor failing for.
      void this.#output.line(text).catch(() => undefined);
    }
    this.#workload = report.workload;
  }

  [Symbol.dispose](): void {
    this.#status.clear();
  }
}

/** What may be cut at the end of a narrow terminal is what is least missed. */
function lineOf({ workload, title, subject, round, rounds, ...report }: ProgressReport): string {
  const where = `${report.casesDone + 1}/${report.cases} ${workload}, ${formatRemaining(report.remainingMilliseconds)}`;
  return `${where}: ${title}: ${subject}, ${roundOf(round, rounds)}`;
}

function roundOf(round: number | undefined, rounds: number): string {
  if (round === undefined) return "making ready";
  return round === 0 ? "warming up" : `round ${round} of ${rounds}`;
}

/** `about 3 min left`. */
export function formatRemaining(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 90) return `about ${Math.max(seconds, 1)} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${(minutes / 60).toFixed(1)} h left`;
}
