import { peakBytesOf, throughputOf, writtenBytesOf } from "../results/cases.ts";
import type { Measurement } from "../results/schema.ts";
import { formatBytes, formatMilliseconds, formatNumber, formatPercent, formatRatio } from "./format.ts";

/** Of the figures of a measurement. */
export const measurementHeadings = ["median", "p99", "±", "MB/s", "files/s", "written", "memory", "ratio"];

/** Of fewer, p99 would be the longest one under another name. */
export const fewSamples = 10;

/** Who, and the figures under {@link measurementHeadings}; what there is none of is empty. */
export function measurementCells(measurement: Measurement, reference: Measurement | undefined): string[] {
  const { subject, statistics, disturbances } = measurement;
  const throughput = throughputOf(measurement);
  const written = writtenBytesOf(measurement);
  const peak = peakBytesOf(measurement);
  const ratio = reference && statistics.medianMilliseconds / reference.statistics.medianMilliseconds;
  return [
    `${subject}${disturbances.length > 0 ? " !" : ""}`,
    formatMilliseconds(statistics.medianMilliseconds),
    statistics.samples < fewSamples ? "" : formatMilliseconds(statistics.p99Milliseconds),
    statistics.samples < 2 ? "" : formatPercent(statistics.marginPercent),
    throughput.bytes === undefined ? "" : formatNumber(throughput.bytes / 1e6),
    throughput.files === undefined ? "" : formatNumber(throughput.files),
    written === undefined ? "" : formatBytes(written),
    peak === undefined ? "" : formatBytes(peak),
    ratio === undefined ? "" : formatRatio(ratio),
  ];
}
