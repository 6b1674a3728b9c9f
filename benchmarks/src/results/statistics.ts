import { Bench } from "tinybench";
import type { Statistics } from "./schema.ts";

/** tinybench's statistics of samples that were taken elsewhere, round by round. */
export function statisticsOf(milliseconds: readonly number[]): Statistics {
  const bench = new Bench({ iterations: milliseconds.length, time: 0, warmup: false, throws: true });
  const samples = milliseconds.values();
  bench.add("samples", () => ({ overriddenDuration: samples.next().value }), { async: false });
  const [task] = bench.runSync();
  if (task?.result.state !== "completed") throw new Error(`no statistics of ${milliseconds.length} samples`);
  const { latency } = task.result;
  return {
    samples: latency.samplesCount,
    meanMilliseconds: latency.mean,
    medianMilliseconds: latency.p50,
    p99Milliseconds: latency.p99,
    minimumMilliseconds: latency.min,
    maximumMilliseconds: latency.max,
    // One sample has no margin.
    marginPercent: Number.isFinite(latency.rme) ? latency.rme : 0,
  };
}
